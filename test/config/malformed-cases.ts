/** Stack files with mistakes, and every line that is said of them. The headline is tested once, in fleet.test.ts. */

export interface MalformedCase {
  title: string;
  yaml: string;
  problems: string[];
}

export const malformedCases: MalformedCase[] = [
  {
    title: "no YAML at all",
    yaml: `
config:
  drydock:hosts: [
  secret-line: hunter2
`,
    problems: [
      "Flow sequence in block collection must be sufficiently indented and end with a ] at line 4, column 3",
    ],
  },
  {
    title: "a key twice",
    yaml: `
config:
  drydock:profile: strict
  drydock:profile: baseline
`,
    problems: [
      "Map keys must be unique at line 4, column 3",
    ],
  },
  {
    title: "no config",
    yaml: `
encryptionsalt: v1:abc=
`,
    problems: [
      "config: is missing; allowed: a table with drydock:hosts and others",
    ],
  },
  {
    title: "no hosts",
    yaml: `
config:
  drydock:profile: strict
`,
    problems: [
      "hosts: no host; name at least one",
    ],
  },
  {
    title: "an empty table of hosts",
    yaml: `
config:
  drydock:hosts: {}
`,
    problems: [
      "hosts: no host; name at least one",
    ],
  },
  {
    title: "hosts as a list",
    yaml: `
config:
  drydock:hosts: [192.0.2.10]
`,
    problems: [
      'hosts: ["192.0.2.10"] is not allowed; allowed: a table of hosts by name',
    ],
  },
  {
    title: "a host without an address",
    yaml: `
config:
  drydock:hosts:
    web1:
`,
    problems: [
      "hosts.web1.connection.host: is missing; allowed: a host name, an IP address or an alias of ssh_config",
    ],
  },
  {
    title: "a host name that is no name",
    yaml: `
config:
  drydock:hosts:
    -web1: { connection: { host: 192.0.2.10 } }
`,
    problems: [
      "hosts.-web1: not a name; allowed: up to 63 letters, digits, dots, dashes and underscores",
    ],
  },
  {
    title: "a misspelled top key and profile",
    yaml: `
config:
  drydock:profil: strict
  drydock:profile: srict
  drydock:hosts: { web1: { connection: { host: 192.0.2.10 } } }
`,
    problems: [
      'profil: unknown setting; did you mean "profile"?',
      'profile: "srict" is not allowed; allowed: baseline, strict; did you mean "strict"?',
    ],
  },
  {
    title: "an unknown layer",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      damon: { icc: true }
      sysctl: {}
`,
    problems: [
      'hosts.web1.damon: unknown setting; did you mean "daemon"?',
      "hosts.web1.sysctl: unknown setting; docs/reference.md lists all",
    ],
  },
  {
    title: "a misspelled daemon key",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { live-restor: true, liveRestore: true, user-proxy: false, foo: 1 }
`,
    problems: [
      'hosts.web1.daemon.live-restor: unknown setting; did you mean "live-restore"?',
      'hosts.web1.daemon.liveRestore: unknown setting; did you mean "live-restore"?',
      "hosts.web1.daemon.user-proxy: unknown setting; docs/reference.md lists all",
      "hosts.web1.daemon.foo: unknown setting; docs/reference.md lists all",
    ],
  },
  {
    title: "keys that engines have given up",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { graph: /srv, oom-score-adjust: -500, containerd-plugin-namespace: x }
`,
    problems: [
      'hosts.web1.daemon.graph: unknown setting; use "data-root"',
      "hosts.web1.daemon.oom-score-adjust: unknown setting; engines from 26 on refuse it; use limits.services.docker.oomScoreAdjust",
      "hosts.web1.daemon.containerd-plugin-namespace: unknown setting; every engine refuses it in daemon.json, although the documentation names it",
    ],
  },
  {
    title: "true and numbers in quotes",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { icc: "false", mtu: "1400" }
      limits: { tasksMax: "4096" }
`,
    problems: [
      'hosts.web1.daemon.icc: "false" is not allowed; allowed: true or false; write it without quotes: false',
      'hosts.web1.daemon.mtu: "1400" is not allowed; allowed: a whole number from 0 to 65535; write it without quotes: 1400',
      'hosts.web1.limits.tasksMax: "4096" is not allowed; allowed: a whole number from 1 on, a share such as 75%, or infinity; write it without quotes: 4096',
    ],
  },
  {
    title: "a number where a log option wants text",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { log-driver: local, log-opts: { max-file: 3, compress: true } }
`,
    problems: [
      'hosts.web1.daemon.log-opts.max-file: 3 is not allowed; allowed: text in quotes; write it in quotes: "3"',
      'hosts.web1.daemon.log-opts.compress: true is not allowed; allowed: text in quotes; write it in quotes: "true"',
    ],
  },
  {
    title: "a word instead of a list",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { dns: 192.0.2.53 }
      allow: hide-containers
`,
    problems: [
      'hosts.web1.daemon.dns: "192.0.2.53" is not allowed; allowed: a list of IP addresses; write it as a list: ["192.0.2.53"]',
      'hosts.web1.allow: "hide-containers" is not allowed; allowed: a list of hide-containers, restart-containers, restore-original, remove-old-data; write it as a list: ["hide-containers"]',
    ],
  },
  {
    title: "an unknown value of a choice",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { log-level: verbose, default-cgroupns-mode: public }
`,
    problems: [
      'hosts.web1.daemon.default-cgroupns-mode: "public" is not allowed; allowed: private, host',
      'hosts.web1.daemon.log-level: "verbose" is not allowed; allowed: debug, info, warn, error, fatal',
    ],
  },
  {
    title: "numbers out of range",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { mtu: 70000, max-concurrent-downloads: 0 }
      limits: { tasksMax: 0, services: { docker: { oomScoreAdjust: -2000 } } }
`,
    problems: [
      "hosts.web1.daemon.mtu: 70000 is not allowed; allowed: a whole number from 0 to 65535",
      "hosts.web1.daemon.max-concurrent-downloads: 0 is not allowed; allowed: a whole number from 1 to 1000",
      "hosts.web1.limits.tasksMax: 0 is not allowed; allowed: a whole number from 1 on, a share such as 75%, or infinity",
      "hosts.web1.limits.services.docker.oomScoreAdjust: -2000 is not allowed; allowed: a whole number from -1000 to 1000",
    ],
  },
  {
    title: "a relative path on the host",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { data-root: srv/docker, tlskey: /etc/../key.pem }
`,
    problems: [
      'hosts.web1.daemon.tlskey: "/etc/../key.pem" is not allowed; allowed: an absolute path on the host',
      'hosts.web1.daemon.data-root: "srv/docker" is not allowed; allowed: an absolute path on the host',
    ],
  },
  {
    title: "networks that are none",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { bip: 172.17.0.1, dns: [8.8.8], fixed-cidr-v6: 10.0.0.0/8 }
`,
    problems: [
      'hosts.web1.daemon.bip: "172.17.0.1" is not allowed; allowed: an IPv4 network such as 172.17.0.1/16',
      'hosts.web1.daemon.fixed-cidr-v6: "10.0.0.0/8" is not allowed; allowed: an IPv6 network such as 2001:db8:1::/64',
      'hosts.web1.daemon.dns[0]: "8.8.8" is not allowed; allowed: an IP address',
    ],
  },
  {
    title: "a line smuggled into a value",
    yaml: String.raw`
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { no-proxy: "a\nb" }
      limits: { total: { memoryMax: "1G\nExecStart=/bin/sh" } }
`,
    problems: [
      "hosts.web1.daemon.no-proxy: \"a\\nb\" is not allowed; allowed: one line of text",
      "hosts.web1.limits.total.memoryMax: \"1G\\nExecStart=/bin/sh\" is not allowed; allowed: a size such as 512M, a share such as 50%, or infinity",
    ],
  },
  {
    title: "icc without iptables",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { iptables: false }
`,
    problems: [
      "hosts.web1.daemon.iptables: icc: false needs iptables: true, the daemon would not start (icc set by profile strict)",
    ],
  },
  {
    title: "icc and IPv6 without ip6tables",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { ipv6: true, ip6tables: false }
`,
    problems: [
      "hosts.web1.daemon.ip6tables: icc: false with ipv6: true needs ip6tables: true, the daemon would not start (icc set by profile strict)",
    ],
  },
  {
    title: "bip with bridge",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { bip: 10.1.0.1/16, bridge: br0 }
`,
    problems: [
      "hosts.web1.daemon.bip: bip and bridge exclude each other",
    ],
  },
  {
    title: "a TCP socket without TLS",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { hosts: ["fd://", "tcp://0.0.0.0:2375"] }
`,
    problems: [
      'hosts.web1.daemon.hosts: "tcp://0.0.0.0:2375" needs tlsverify: true, tlscacert, tlscert, tlskey: without them whoever reaches the port is root on the host',
    ],
  },
  {
    title: "addresses without the local socket",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { hosts: ["unix:///run/other.sock", "tcp://0.0.0.0:2376"], tlsverify: true, tlscacert: /etc/docker/ca.pem, tlscert: /etc/docker/cert.pem, tlskey: /etc/docker/key.pem }
`,
    problems: [
      'hosts.web1.daemon.hosts: ["unix:///run/other.sock","tcp://0.0.0.0:2376"] leaves out the local socket, without which nobody on the host reaches the daemon; add fd:// or unix:///run/docker.sock',
    ],
  },
  {
    title: "TLS without its files",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { tlsverify: true, tlscert: /etc/docker/cert.pem }
`,
    problems: [
      "hosts.web1.daemon.tlsverify: tlsverify needs tlscacert, tlskey",
    ],
  },
  {
    title: "userns-remap to a number",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { userns-remap: "1000" }
`,
    problems: [
      'hosts.web1.daemon.userns-remap: "1000" is not allowed; allowed: default, or the name of a user, or user:group',
    ],
  },
  {
    title: "userns-remap to root",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { userns-remap: root }
`,
    problems: [
      'hosts.web1.daemon.userns-remap: "root" is root on the host, which remaps nothing; name another user',
    ],
  },
  {
    title: "userns-remap with the containerd image store",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { features: { containerd-snapshotter: true } }
`,
    problems: [
      "hosts.web1.daemon.features.containerd-snapshotter: userns-remap and features.containerd-snapshotter: true exclude each other, the daemon would not start (userns-remap set by profile strict)",
    ],
  },
  {
    title: "a cgroup parent that is no slice",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { cgroup-parent: /docker }
`,
    problems: [
      'hosts.web1.daemon.cgroup-parent: "/docker" is not allowed; allowed: the name of a systemd slice, ending in .slice',
    ],
  },
  {
    title: "another slice than the one with the limits",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { cgroup-parent: my.slice }
`,
    problems: [
      "hosts.web1.daemon.cgroup-parent: containers would not be in drydock-containers.slice, so limits.total would not hold; remove one of the two (total set by profile strict)",
    ],
  },
  {
    title: "ulimits that contradict themselves",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { default-ulimits: { nofile: { Soft: 70000 }, core: { Name: nofile }, nproc: { Soft: 5 }, files: { Soft: 1, Hard: 1 } } }
`,
    problems: [
      'hosts.web1.daemon.default-ulimits.core: Name is "nofile", but must be the key, "core"',
      "hosts.web1.daemon.default-ulimits.nofile: Soft (70000) is above Hard (65536)",
      "hosts.web1.daemon.default-ulimits.nproc: needs Soft and Hard",
      "hosts.web1.daemon.default-ulimits.files: no limit of this name; known: core, cpu, data, fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending, stack",
    ],
  },
  {
    title: "an option the log driver does not have",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { log-opts: { syslog-adress: "udp://192.0.2.1:514", max-size: 10m } }
`,
    problems: [
      'hosts.web1.daemon.log-opts.syslog-adress: the log driver syslog has no such option; did you mean "syslog-address"? (log-driver set by profile strict)',
      "hosts.web1.daemon.log-opts.max-size: the log driver syslog has no such option (log-driver set by profile strict)",
    ],
  },
  {
    title: "syslog options that don't fit together",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { log-opts: { syslog-address: "http://192.0.2.1", syslog-facility: local9, syslog-tls-cert: /etc/c.pem, mode: blocking } }
`,
    problems: [
      'hosts.web1.daemon.log-opts.syslog-address: "http://192.0.2.1" is not allowed; allowed: unixgram:///dev/log, unix://path, udp://host:port, tcp://host:port or tcp+tls://host:port',
      'hosts.web1.daemon.log-opts.syslog-facility: "local9" is not allowed; allowed: kern, user, mail, daemon, auth, syslog, lpr, news, uucp, cron, authpriv, ftp, local0, local1, local2, local3, local4, local5, local6, local7, or a number from 0 to 23',
      "hosts.web1.daemon.log-opts.mode: max-buffer-size is only valid with mode: non-blocking (log-opts.max-buffer-size set by profile strict)",
      "hosts.web1.daemon.log-opts.syslog-tls-cert: only valid with a syslog-address tcp+tls://",
      "hosts.web1.daemon.log-opts.syslog-tls-cert: syslog-tls-cert and syslog-tls-key belong together",
    ],
  },
  {
    title: "no check of the collector's certificate",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { log-opts: { syslog-address: "tcp+tls://192.0.2.1:6514", syslog-tls-skip-verify: "false" } }
`,
    problems: [
      'hosts.web1.daemon.log-opts.syslog-tls-skip-verify: "false" is not allowed; allowed: not to be set: any value switches the check of the collector off',
    ],
  },
  {
    title: "secrets in clear",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { http-proxy: "http://ops:hunter2@proxy.example:3128", registry-mirrors: ["https://ops:hunter2@mirror.example"], log-driver: splunk, log-opts: { splunk-url: "https://192.0.2.1:8088", splunk-token: hunter2 } }
`,
    problems: [
      "hosts.web1.daemon.http-proxy: (hidden) is not allowed; allowed: an http:// or https:// URL without user and password (docker.service can take those from an EnvironmentFile that only root reads)",
      "hosts.web1.daemon.log-opts.splunk-token: a secret in clear; Drydock carries none: use a log driver that reads it on the host",
      "hosts.web1.daemon.registry-mirrors: a password in a URL, in clear; Drydock carries no secrets",
    ],
  },
  {
    title: "a secure value",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { https-proxy: { secure: "v1:AAAABBBBCCCC:DDDD" } }
`,
    problems: [
      "hosts.web1.daemon.https-proxy: a secure value would be copied into the state of the host; Drydock carries no secrets: name a path on the host",
    ],
  },
  {
    title: "a pasted private key",
    yaml: String.raw`
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10, identityFile: "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2" }
`,
    problems: [
      "hosts.web1.connection.identityFile: (hidden) is not allowed; allowed: the path of a private key file (not the key itself)",
    ],
  },
  {
    title: "other arguments of @pulumi/command",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10, privateKey: hunter2, password: hunter2, dialErrorLimit: 3 }
`,
    problems: [
      "hosts.web1.connection.privateKey: unknown setting; key material stays out of stack files; name its path with identityFile, or use an agent",
      "hosts.web1.connection.password: unknown setting; passwords stay out of stack files; use a key with identityFile, or an agent",
      "hosts.web1.connection.dialErrorLimit: unknown setting; use connectTimeout",
    ],
  },
  {
    title: "values that ssh would read as options",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: -oProxyCommand=sh, user: -l, identityFile: -i }
`,
    problems: [
      'hosts.web1.connection.host: "-oProxyCommand=sh" is not allowed; allowed: a host name, an IP address or an alias of ssh_config',
      'hosts.web1.connection.user: "-l" is not allowed; allowed: a user name',
      'hosts.web1.connection.identityFile: "-i" is not allowed; allowed: the path of a private key file (not the key itself)',
    ],
  },
  {
    title: "host keys that are none",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10, hostKey: "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIBl0LuLnjpC1oeOfnhMGaqX+S1shj5PCH9P5WaimjC0l", proxy: { host: 192.0.2.1, hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBl0LuLnjpC1oeOfnhMGaqX+S1shj5PCH9P5Waim" } }
`,
    problems: [
      'hosts.web1.connection.hostKey: "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIBl0LuLnjpC1oeOfnhMGaqX+S1shj5PCH9P5WaimjC0l" is not allowed; allowed: one line "ssh-ed25519 AAAA… [comment]" whose key is of that type',
      'hosts.web1.connection.proxy.hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBl0LuLnjpC1oeOfnhMGaqX+S1shj5PCH9P5Waim" is not allowed; allowed: one line "ssh-ed25519 AAAA… [comment]" whose key is of that type',
    ],
  },
  {
    title: "a port that is none, and a jump host without an address",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10, port: 0, proxy: { user: ops } }
`,
    problems: [
      "hosts.web1.connection.port: 0 is not allowed; allowed: a whole number from 1 to 65535",
      "hosts.web1.connection.proxy.host: is missing; allowed: a host name, an IP address or an alias of ssh_config",
    ],
  },
  {
    title: "one machine under two names",
    yaml: `
config:
  drydock:hosts:
    web1: { connection: { host: web.example } }
    web2: { connection: { host: WEB.example, port: 22 } }
`,
    problems: [
      'hosts.web2.connection.host: "WEB.example" port 22 is host web1 already; one machine, one name',
    ],
  },
  {
    title: "a group that nobody made",
    yaml: `
config:
  drydock:groups: { webs: {}, db: {} }
  drydock:hosts: { web1: { groups: [web, cache], connection: { host: 192.0.2.10 } } }
`,
    problems: [
      'hosts.web1.groups[0]: no group "web"; did you mean "webs"?',
      'hosts.web1.groups[1]: no group "cache"; known: webs, db',
    ],
  },
  {
    title: "a mistake in a group, of three hosts, once",
    yaml: `
config:
  drydock:profile: strict
  drydock:groups: { web: { daemon: { iptables: false } } }
  drydock:hosts:
    web1: { groups: [web], connection: { host: 192.0.2.1 } }
    web2: { groups: [web], connection: { host: 192.0.2.2 } }
    web3: { groups: [web], daemon: { icc: true }, connection: { host: 192.0.2.3 } }
`,
    problems: [
      "groups.web.daemon.iptables: icc: false needs iptables: true, the daemon would not start (icc set by profile strict) (hosts web1, web2)",
    ],
  },
  {
    title: "an unknown consent",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      allow: [hide-container]
`,
    problems: [
      'hosts.web1.allow[0]: "hide-container" is not allowed; allowed: hide-containers, restart-containers, restore-original, remove-old-data; did you mean "hide-containers"?',
    ],
  },
  {
    title: "audit permissions that auditctl refuses",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      audit: { perm: rwxx, dataPerm: "" }
`,
    problems: [
      'hosts.web1.audit.perm: "rwxx" is not allowed; allowed: some of the letters r, w, x, a',
      'hosts.web1.audit.dataPerm: "" is not allowed; allowed: some of the letters r, w, x, a',
    ],
  },
  {
    title: "limits that are no sizes",
    yaml: `
config:
  drydock:profile: strict
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      limits: { memoryMax: 120%, total: { tasksMax: many, cpuQuota: 1.5 }, services: { docker: { nofile: 12 } } }
`,
    problems: [
      'hosts.web1.limits.memoryMax: "120%" is not allowed; allowed: a size such as 512M, a share such as 50%, or infinity',
      'hosts.web1.limits.total.tasksMax: "many" is not allowed; allowed: a whole number from 1 on, a share such as 75%, or infinity',
      "hosts.web1.limits.total.cpuQuota: 1.5 is not allowed; allowed: a share such as 350%",
      'hosts.web1.limits.services.docker.nofile: 12 is not allowed; allowed: a whole number from 1024 on, "soft:hard", or infinity',
    ],
  },
  {
    title: "swap without memory",
    yaml: `
config:
  drydock:hosts: { web1: { connection: { host: 192.0.2.10 }, limits: { memorySwapMax: 1G } } }
`,
    problems: [
      "hosts.web1.limits.memorySwapMax: memorySwapMax without memoryMax limits nothing that matters; set memoryMax too",
    ],
  },
  {
    title: "templates that are no folder name",
    yaml: `
config:
  drydock:templates: 3
  drydock:hosts: { web1: { connection: { host: 192.0.2.10 } } }
`,
    problems: [
      "templates: 3 is not allowed; allowed: the path of a folder",
    ],
  },
  {
    title: "a disk by the name of the day",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      volume: { device: /dev/sdb }
`,
    problems: [
      'hosts.web1.volume.device: "/dev/sdb" is not allowed; allowed: a path that stays the same from boot to boot: /dev/disk/by-id/…, /dev/disk/by-path/…, /dev/disk/by-partuuid/…, /dev/mapper/… or /dev/<volume group>/<volume>',
    ],
  },
  {
    title: "a disk by a UUID that formatting would change",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      volume: { device: /dev/disk/by-uuid/0f3c9a }
`,
    problems: [
      'hosts.web1.volume.device: "/dev/disk/by-uuid/0f3c9a" is not allowed; allowed: a path that stays the same from boot to boot: /dev/disk/by-id/…, /dev/disk/by-path/…, /dev/disk/by-partuuid/…, /dev/mapper/… or /dev/<volume group>/<volume>',
    ],
  },
  {
    title: "a way out of /dev",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      volume: { device: /dev/disk/by-id/../../../tmp/disk }
`,
    problems: [
      'hosts.web1.volume.device: "/dev/disk/by-id/../../../tmp/disk" is not allowed; allowed: a path that stays the same from boot to boot: /dev/disk/by-id/…, /dev/disk/by-path/…, /dev/disk/by-partuuid/…, /dev/mapper/… or /dev/<volume group>/<volume>',
    ],
  },
  {
    title: "memory for a disk",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      volume: { device: /dev/shm/disk }
`,
    problems: [
      'hosts.web1.volume.device: "/dev/shm/disk" is not allowed; allowed: a path that stays the same from boot to boot: /dev/disk/by-id/…, /dev/disk/by-path/…, /dev/disk/by-partuuid/…, /dev/mapper/… or /dev/<volume group>/<volume>',
    ],
  },
  {
    title: "a second line in a disk",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      volume: { device: "/dev/vg0/docker\\nOptions=suid" }
`,
    problems: [
      'hosts.web1.volume.device: "/dev/vg0/docker\\nOptions=suid" is not allowed; allowed: a path that stays the same from boot to boot: /dev/disk/by-id/…, /dev/disk/by-path/…, /dev/disk/by-partuuid/…, /dev/mapper/… or /dev/<volume group>/<volume>',
    ],
  },
  {
    title: "another filesystem",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      volume: { device: /dev/disk/by-id/virtio-data, filesystem: btrfs }
`,
    problems: [
      'hosts.web1.volume.filesystem: "btrfs" is not allowed; allowed: ext4, xfs',
    ],
  },
  {
    title: "a size per container on ext4",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      volume: { device: /dev/disk/by-id/virtio-data, containerSize: 10G }
`,
    problems: [
      "hosts.web1.volume.containerSize: containerSize needs filesystem: xfs, whose project quota counts what a container writes",
    ],
  },
  {
    title: "sizes per container that are none",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      volume: { device: /dev/disk/by-id/virtio-data, filesystem: xfs, containerSize: 0G }
    web2:
      connection: { host: 192.0.2.11 }
      volume: { device: /dev/disk/by-id/virtio-data, filesystem: xfs, containerSize: "10" }
`,
    problems: [
      'hosts.web1.volume.containerSize: "0G" is not allowed; allowed: a size such as 500M or 10G',
      'hosts.web2.volume.containerSize: "10" is not allowed; allowed: a size such as 500M or 10G',
    ],
  },
  {
    title: "a filesystem without a disk",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      volume: { filesystem: xfs }
`,
    problems: [
      "hosts.web1.volume.filesystem: volume.device is missing: name the disk for /var/lib/docker, e.g. /dev/disk/by-id/virtio-data",
    ],
  },
  {
    title: "a filesystem without a disk in the defaults",
    yaml: `
config:
  drydock:defaults: { volume: { filesystem: xfs } }
  drydock:hosts:
    web1: { connection: { host: 192.0.2.10 } }
`,
    problems: [
      "defaults.volume.filesystem: volume.device is missing: name the disk for /var/lib/docker, e.g. /dev/disk/by-id/virtio-data (host web1)",
    ],
  },
  {
    title: "containerd's filesystem without a disk",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      volume: { device: /dev/disk/by-id/virtio-data, containerd: { filesystem: xfs } }
`,
    problems: [
      "hosts.web1.volume.containerd: volume.containerd.device is missing: name the disk for /var/lib/containerd",
    ],
  },
  {
    title: "one disk for both",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      volume: { device: /dev/disk/by-id/virtio-data, containerd: { device: /dev/disk/by-id/virtio-data } }
`,
    problems: [
      'hosts.web1.volume.device: "/dev/disk/by-id/virtio-data" is named twice; /var/lib/docker and /var/lib/containerd need a device each',
    ],
  },
  {
    title: "a disk for a folder that Docker does not use",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { data-root: /srv/docker }
      volume: { device: /dev/disk/by-id/virtio-data }
`,
    problems: [
      'hosts.web1.daemon.data-root: data-root is "/srv/docker", so a filesystem at /var/lib/docker would hold nothing; remove one of the two',
    ],
  },
  {
    title: "a size per container, said twice",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      daemon: { storage-opts: ["overlay2.size=5G"] }
      volume: { device: /dev/disk/by-id/virtio-data, filesystem: xfs, containerSize: 10G }
`,
    problems: [
      "hosts.web1.volume.containerSize: containerSize and overlay2.size in storage-opts say the same; remove one of the two",
    ],
  },
  {
    title: "unknown settings of a volume",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      volume: { device: /dev/disk/by-id/virtio-data, fs: xfs, size: 1G, containerd: { device: /dev/vg0/c, containerSize: 1G } }
`,
    problems: [
      "hosts.web1.volume.containerd.containerSize: unknown setting; known: device, filesystem",
      "hosts.web1.volume.fs: unknown setting; known: device, filesystem, containerSize, containerd",
      "hosts.web1.volume.size: unknown setting; known: device, filesystem, containerSize, containerd",
    ],
  },
  {
    title: "a disk instead of a table",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      volume: /dev/disk/by-id/virtio-data
`,
    problems: [
      'hosts.web1.volume: "/dev/disk/by-id/virtio-data" is not allowed; allowed: a table with device, filesystem, containerSize, containerd',
    ],
  },
  {
    title: "apparmor as a word",
    yaml: `
config:
  drydock:hosts: { web1: { connection: { host: 192.0.2.10 }, apparmor: true } }
`,
    problems: [
      "hosts.web1.apparmor: true is not allowed; allowed: a table with container, profiles",
    ],
  },
  {
    title: "misspelled keys of the apparmor layer",
    yaml: `
config:
  drydock:defaults: { apparmor: { contaner: true, profile: {} } }
  drydock:hosts: { web1: { connection: { host: 192.0.2.10 }, apparmor: { profiles: { web: { file: {}, caps: [] } } } } }
`,
    problems: [
      'defaults.apparmor.contaner: unknown setting; did you mean "container"?',
      'defaults.apparmor.profile: unknown setting; did you mean "profiles"?',
      'hosts.web1.apparmor.profiles.web.file: unknown setting; did you mean "files"?',
      "hosts.web1.apparmor.profiles.web.caps: unknown setting; known: files, deny, capabilities, networks",
    ],
  },
  {
    title: "names of profiles that can't be",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      apparmor: { profiles: { container: {}, Web: {}, ../cron: {}, "a b": {} } }
`,
    problems: [
      "hosts.web1.apparmor.profiles.container: not a name that is allowed; allowed: up to 32 lower case letters, digits, dashes and underscores; container is Drydock's own",
      "hosts.web1.apparmor.profiles.Web: not a name that is allowed; allowed: up to 32 lower case letters, digits, dashes and underscores; container is Drydock's own",
      `hosts.web1.apparmor.profiles["../cron"]: not a name that is allowed; allowed: up to 32 lower case letters, digits, dashes and underscores; container is Drydock's own`,
      `hosts.web1.apparmor.profiles["a b"]: not a name that is allowed; allowed: up to 32 lower case letters, digits, dashes and underscores; container is Drydock's own`,
    ],
  },
  {
    title: "a path of a profile that would end its rule and begin another",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      apparmor: { profiles: { web: { files: { "/a r, capability sys_admin, /b": r, "/a,": r, "/a #": r } } } }
`,
    problems: [
      `hosts.web1.apparmor.profiles.web.files["/a r, capability sys_admin, /b"]: not a name that is allowed; allowed: an absolute path without blanks, with *, **, ?, [ab] and {a,b} as in apparmor.d(5)`,
      `hosts.web1.apparmor.profiles.web.files["/a,"]: not a name that is allowed; allowed: an absolute path without blanks, with *, **, ?, [ab] and {a,b} as in apparmor.d(5)`,
      `hosts.web1.apparmor.profiles.web.files["/a #"]: not a name that is allowed; allowed: an absolute path without blanks, with *, **, ?, [ab] and {a,b} as in apparmor.d(5)`,
    ],
  },
  {
    title: "paths of a profile that match nothing or too much",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      apparmor: { profiles: { web: { deny: { srv/www: r, "/srv/../etc/**": r, "/srv/{a,b": r, "@{PROC}/*": r, "/srv/***": r } } } }
`,
    problems: [
      `hosts.web1.apparmor.profiles.web.deny["srv/www"]: not a name that is allowed; allowed: an absolute path without blanks, with *, **, ?, [ab] and {a,b} as in apparmor.d(5)`,
      `hosts.web1.apparmor.profiles.web.deny["/srv/../etc/**"]: not a name that is allowed; allowed: an absolute path without blanks, with *, **, ?, [ab] and {a,b} as in apparmor.d(5)`,
      `hosts.web1.apparmor.profiles.web.deny["/srv/{a,b"]: not a name that is allowed; allowed: an absolute path without blanks, with *, **, ?, [ab] and {a,b} as in apparmor.d(5)`,
      `hosts.web1.apparmor.profiles.web.deny["@{PROC}/*"]: not a name that is allowed; allowed: an absolute path without blanks, with *, **, ?, [ab] and {a,b} as in apparmor.d(5)`,
      `hosts.web1.apparmor.profiles.web.deny["/srv/***"]: not a name that is allowed; allowed: an absolute path without blanks, with *, **, ?, [ab] and {a,b} as in apparmor.d(5)`,
    ],
  },
  {
    title: "permissions of a profile that AppArmor does not have, or that leave it",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      apparmor: { profiles: { web: { files: { /a: read, /b: ux, /c: rr, /d: "" } } } }
`,
    problems: [
      `hosts.web1.apparmor.profiles.web.files["/a"]: "read" is not allowed; allowed: some of the letters r, w, x, m, k, l`,
      `hosts.web1.apparmor.profiles.web.files["/b"]: "ux" is not allowed; allowed: some of the letters r, w, x, m, k, l`,
      `hosts.web1.apparmor.profiles.web.files["/c"]: "rr" is not allowed; allowed: some of the letters r, w, x, m, k, l`,
      `hosts.web1.apparmor.profiles.web.files["/d"]: "" is not allowed; allowed: some of the letters r, w, x, m, k, l`,
    ],
  },
  {
    title: "files of a profile as a list",
    yaml: `
config:
  drydock:hosts: { web1: { connection: { host: 192.0.2.10 }, apparmor: { profiles: { web: { files: [/srv] } } } } }
`,
    problems: [
      `hosts.web1.apparmor.profiles.web.files: ["/srv"] is not allowed; allowed: a table of permissions by path, as { "/srv/www/**": r }`,
    ],
  },
  {
    title: "capabilities that the kernel does not have under that name",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      apparmor: { profiles: { web: { capabilities: [CAP_CHOWN, net_bindservice, root] } } }
`,
    problems: [
      `hosts.web1.apparmor.profiles.web.capabilities[0]: "CAP_CHOWN" is not allowed; allowed: a capability in lower case without cap_, as net_bind_service`,
      `hosts.web1.apparmor.profiles.web.capabilities[1]: "net_bindservice" is not allowed; allowed: a capability in lower case without cap_, as net_bind_service; did you mean "net_bind_service"?`,
      `hosts.web1.apparmor.profiles.web.capabilities[2]: "root" is not allowed; allowed: a capability in lower case without cap_, as net_bind_service`,
    ],
  },
  {
    title: "networks that are no sockets",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      apparmor: { profiles: { web: { networks: [tcp, "inet stream tcp"] } } }
`,
    problems: [
      'hosts.web1.apparmor.profiles.web.networks[0]: "tcp" is not allowed; allowed: a family and, if wanted, a type of sockets, as "inet stream"; families: inet, inet6, netlink, packet, bluetooth, can, rds, tipc, vsock, xdp; types: stream, dgram, seqpacket, raw, rdm',
      'hosts.web1.apparmor.profiles.web.networks[1]: "inet stream tcp" is not allowed; allowed: a family and, if wanted, a type of sockets, as "inet stream"; families: inet, inet6, netlink, packet, bluetooth, can, rds, tipc, vsock, xdp; types: stream, dgram, seqpacket, raw, rdm',
    ],
  },
  {
    title: "seccomp as another word",
    yaml: `
config:
  drydock:hosts: { web1: { connection: { host: 192.0.2.10 }, seccomp: unconfined } }
`,
    problems: [
      'hosts.web1.seccomp: "unconfined" is not allowed; allowed: builtin, or a table with defaultAction, defaultErrnoRet, architectures, archMap, syscalls',
    ],
  },
  {
    title: "a seccomp profile with words that nobody knows",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      seccomp:
        defaultAction: SCMP_ACT_ALLOW
        architectures: [SCMP_ARCH_X86_65]
        syscalls: [{ names: [mkdirs, chmod], action: ERRNO }]
`,
    problems: [
      'hosts.web1.seccomp.architectures[0]: "SCMP_ARCH_X86_65" is not allowed; allowed: SCMP_ARCH_X86, SCMP_ARCH_X86_64, SCMP_ARCH_X32, SCMP_ARCH_ARM, SCMP_ARCH_AARCH64, SCMP_ARCH_MIPS, SCMP_ARCH_MIPS64, SCMP_ARCH_MIPS64N32, SCMP_ARCH_MIPSEL, SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32, SCMP_ARCH_PPC, SCMP_ARCH_PPC64, SCMP_ARCH_PPC64LE, SCMP_ARCH_S390, SCMP_ARCH_S390X, SCMP_ARCH_PARISC, SCMP_ARCH_PARISC64, SCMP_ARCH_RISCV64, SCMP_ARCH_LOONGARCH64; did you mean "SCMP_ARCH_X86_64"?',
      'hosts.web1.seccomp.syscalls[0].names[0]: "mkdirs" is not allowed; allowed: the name of a system call; did you mean "mkdir"?',
      'hosts.web1.seccomp.syscalls[0].action: "ERRNO" is not allowed; allowed: SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_LOG, SCMP_ACT_TRACE, SCMP_ACT_TRAP',
    ],
  },
  {
    title: "argument filters that can't be",
    yaml: `
config:
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      seccomp:
        defaultAction: SCMP_ACT_ALLOW
        syscalls:
          - { names: [socket], action: SCMP_ACT_ERRNO, args: [{ index: 6, value: -1, op: "==" }] }
          - { names: [clone], action: SCMP_ACT_ERRNO, args: [{ index: 0 }] }
          - { action: SCMP_ACT_ERRNO, names: [] }
`,
    problems: [
      "hosts.web1.seccomp.syscalls[0].args[0].index: 6 is not allowed; allowed: a whole number from 0 to 5",
      "hosts.web1.seccomp.syscalls[0].args[0].value: -1 is not allowed; allowed: a whole number from 0 on",
      'hosts.web1.seccomp.syscalls[0].args[0].op: "==" is not allowed; allowed: SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ',
      "hosts.web1.seccomp.syscalls[1].args[0].value: is missing; allowed: a whole number from 0 on",
      "hosts.web1.seccomp.syscalls[1].args[0].op: is missing; allowed: SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ",
      "hosts.web1.seccomp.syscalls[2].names: [] is not allowed; allowed: a list of system calls, at least one",
    ],
  },
  {
    title: "a seccomp profile without a default",
    yaml: `
config:
  drydock:hosts: { web1: { connection: { host: 192.0.2.10 }, seccomp: { syscalls: [] } } }
`,
    problems: [
      "hosts.web1.seccomp.syscalls: needs a defaultAction; allowed: SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_LOG, SCMP_ACT_TRACE, SCMP_ACT_TRAP",
    ],
  },
  {
    title: "a seccomp profile that filters nothing, and one with which nothing starts",
    yaml: `
config:
  drydock:hosts:
    web1: { connection: { host: 192.0.2.10 }, seccomp: { defaultAction: SCMP_ACT_ALLOW } }
    web2: { connection: { host: 192.0.2.11 }, seccomp: { defaultAction: SCMP_ACT_ERRNO, syscalls: [{ names: [read, write], action: SCMP_ACT_ALLOW }] } }
`,
    problems: [
      "hosts.web1.seccomp.defaultAction: SCMP_ACT_ALLOW with no rule that refuses something filters nothing, which is less than seccomp: builtin",
      "hosts.web2.seccomp.syscalls: execve and execveat would be refused, so no container could start",
    ],
  },
  {
    title: "two seccomp profiles",
    yaml: `
config:
  drydock:defaults: { daemon: { seccomp-profile: /etc/docker/mine.json } }
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      seccomp: { defaultAction: SCMP_ACT_ALLOW, syscalls: [{ names: [bpf], action: SCMP_ACT_ERRNO }] }
`,
    problems: [
      'hosts.web1.seccomp: "/etc/docker/mine.json" and the layer seccomp exclude each other; remove one of the two',
    ],
  },
  {
    title: "waves with names that nothing has, that two have, or that come twice",
    yaml: `
config:
  drydock:groups: { web: {}, db: {} }
  drydock:hosts:
    web1: { connection: { host: 192.0.2.10 }, groups: [web] }
    db: { connection: { host: 192.0.2.11 } }
  drydock:rollout: { waves: [[wep1, db], [web], [nobody, web1], [web, web1]] }
`,
    problems: [
      'rollout.waves[0][0]: no host or group "wep1"; did you mean "web1"?',
      'rollout.waves[0][1]: "db" is a host and a group; rename one of the two',
      'rollout.waves[2][0]: no host or group "nobody"; known: web1, db, web, db',
      'rollout.waves[3][0]: "web" is in wave 2 already',
      'rollout.waves[3][1]: "web1" is in wave 3 already',
    ],
  },
  {
    title: "a rollout of wrong kinds",
    yaml: `
config:
  drydock:hosts: { web1: { connection: { host: 192.0.2.10 } } }
  drydock:rollout: { waves: [web1], maxParalel: 4, maxParallel: 0, maxFailures: "1" }
`,
    problems: [
      'rollout.waves[0]: "web1" is not allowed; allowed: a list of names of hosts and groups; write it as a list: ["web1"]',
      "rollout.maxParallel: 0 is not allowed; allowed: a whole number from 1 to 1000",
      'rollout.maxFailures: "1" is not allowed; allowed: a whole number from 0 to 1000; write it without quotes: 1',
      'rollout.maxParalel: unknown setting; did you mean "maxParallel"?',
    ],
  },
  {
    title: "a rollout that is no table",
    yaml: `
config:
  drydock:hosts: { web1: { connection: { host: 192.0.2.10 } } }
  drydock:rollout: [[web1]]
`,
    problems: ['rollout: [["web1"]] is not allowed; allowed: a table with waves, maxParallel, maxFailures'],
  },
  {
    title: "commands of the wrong kind",
    yaml: `
config:
  drydock:hosts:
    web1: { connection: { host: 192.0.2.10 }, prepare: [apt-get update], gate: "  " }
    web2: { connection: { host: 192.0.2.11 }, gate: "a\\0b" }
`,
    problems: [
      'hosts.web1.prepare: ["apt-get update"] is not allowed; allowed: a shell script',
      'hosts.web1.gate: "  " is not allowed; allowed: a shell script',
      'hosts.web2.gate: "a\\u0000b" is not allowed; allowed: a shell script',
    ],
  },
  {
    title: "commands for hosts whose key nobody has pinned",
    yaml: `
config:
  drydock:defaults: { gate: "true" }
  drydock:hosts:
    web1: { connection: { host: 192.0.2.10, user: ops } }
    web2: { connection: { host: 192.0.2.11, user: ops } }
    web3:
      connection: { host: 192.0.2.12, hostKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBl0LuLnjpC1oeOfnhMGaqX+S1shj5PCH9P5WaimjC0l, proxy: { host: 192.0.2.1, user: ops } }
      prepare: "true"
`,
    problems: [
      "defaults.gate: gate needs connection.hostKey in the stack file: @pulumi/command reads neither known_hosts nor ssh_config (hosts web1, web2)",
      "hosts.web3.prepare: prepare and gate need connection.proxy.hostKey, connection.user in the stack file: @pulumi/command reads neither known_hosts nor ssh_config",
    ],
  },
  {
    title: "waivers of what is no control, without a reason, an end or a day that is one",
    yaml: `
config:
  drydock:defaults: { waivers: { "2.121": { reason: no plugin yet, until: 2027-03-31 }, icc: null } }
  drydock:groups: { web: { waivers: { "2.12": { until: 2027-03-31 }, "2.9": { reason: old images } } } }
  drydock:hosts:
    web1:
      connection: { host: 192.0.2.10 }
      waivers: { "1.1.1": { reason: one disk, until: 2027-02-30 }, "2.1": { reason: " ", until: 31.3.2027 }, "2.2": needed, "2.8": { reason: ok, until: 2027-03-31, by: me } }
    web2: { connection: { host: 192.0.2.11 }, waivers: ["2.12"] }
`,
    problems: [
      'defaults.waivers["2.121"]: not a name that is allowed; allowed: an id of the CIS Docker Benchmark 1.6.0 in quotes, e.g. "2.12"; did you mean "2.11"?',
      'defaults.waivers.icc: not a name that is allowed; allowed: an id of the CIS Docker Benchmark 1.6.0 in quotes, e.g. "2.12"',
      'groups.web.waivers["2.12"].reason: is missing; allowed: one line that says why, for whoever reads the report',
      'groups.web.waivers["2.9"].until: is missing; allowed: a day such as 2027-03-31',
      'hosts.web1.waivers["1.1.1"].until: "2027-02-30" is not allowed; allowed: a day such as 2027-03-31',
      'hosts.web1.waivers["2.1"].reason: " " is not allowed; allowed: one line that says why, for whoever reads the report',
      'hosts.web1.waivers["2.1"].until: "31.3.2027" is not allowed; allowed: a day such as 2027-03-31',
      'hosts.web1.waivers["2.2"]: "needed" is not allowed; allowed: a table with reason and until',
      'hosts.web1.waivers["2.8"].by: unknown setting; known: reason, until',
      'hosts.web2.waivers: ["2.12"] is not allowed; allowed: a table of waivers by the id of a control, e.g. { "2.12": { reason: "no plugin yet", until: 2027-03-31 } }',
    ],
  },
  {
    title: "a waiver whose id is not in quotes",
    yaml: `
config:
  drydock:hosts: { web1: { connection: { host: 192.0.2.10 }, waivers: { 2.10: { reason: confirmed, until: 2027-03-31 } } } }
`,
    problems: [
      'waivers: 2.10 is not allowed without quotes, since YAML takes it for a number; write "2.10"',
    ],
  },
];
