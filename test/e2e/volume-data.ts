/** Data of all kinds that have to arrive, and everything that can be told of them. */

/** Makes files in a folder: hard links, holes, owners, modes, capabilities, attributes, access lists, odd names, a pipe, a device. */
export const makeData = (folder: string) => `
  mkdir -p ${folder}/sub && cd ${folder}
  dd if=/dev/urandom of=random bs=1M count=10 2>/dev/null
  truncate -s 30M holes && printf x | dd of=holes bs=1 seek=25000000 conv=notrunc 2>/dev/null
  echo text >sub/one && ln sub/one sub/two && ln -s /nowhere sub/link && mkfifo sub/pipe && mknod sub/null c 1 3
  printf 'odd\\n' >'sub/a name
with a line break'
  chown 1234:4321 sub/one && chmod 4751 sub/one && chmod 1777 sub && touch -d '2001-02-03 04:05:06.789' sub/one
  perl -e '
    sub put { my ($file, $name, $value) = @_; syscall(188, $file, $name, $value, length $value, 0) == 0 or die "$name: $!" }
    put("sub/one", "user.note", "hello"); put("sub/one", "user.b", "2"); put("sub/one", "user.a", "1");
    put("sub", "trusted.overlay.opaque", "y");
    put("random", "security.capability", pack("H*", "0100000200040000000000000000000000000000"));
    put("sub/one", "system.posix_acl_access", pack("L<", 2) . join("", map { pack("S<S<L<", @$_) } [1, 7, 0xffffffff], [2, 6, 1000], [4, 5, 0xffffffff], [16, 7, 0xffffffff], [32, 1, 0xffffffff]));
  '
`;

/** A line a fact, of every file below a folder; the same text for the same data, wherever they are. */
export const listData = (folder: string) => `
  cd ${folder} || exit
  find . -type d -printf '%p %y %m %U:%G\\n' -o -printf '%p %y %m %U:%G %s %n %T@ %l\\n' | sort
  find . -type f -exec sha256sum {} + | sort
  find . -type f -size +20M -printf '%p %b blocks\\n' | awk '{ print $1, ($2 < 25000 ? "has holes" : "has no holes") }'
  find . -print0 | perl -0ne '
    chomp; my $file = $_;
    for my $name ("user.note", "user.a", "user.b", "trusted.overlay.opaque", "security.capability", "system.posix_acl_access") {
      my $value = "\\0" x 256; my $size = syscall(191, $file, $name, $value, 256);
      print "$file $name ", unpack("H*", substr $value, 0, $size), "\\n" if $size >= 0;
    }' | sort
`;
