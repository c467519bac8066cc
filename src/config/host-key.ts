/** One SSH host key, as a line of an authorized_keys or known_hosts file without the host's name. */

const keyTypes = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
];

/**
 * Whether `line` is `<type> <base64> [comment]` and the key inside really is of that type: a key pasted with a letter
 * lost is found here, and not as "host key verification failed" on the first connection.
 */
export function isHostKey(line: string): boolean {
  const match = /^([\w@.-]+) ([A-Za-z0-9+/]+={0,2})(?: [\x20-\x7e]*)?$/.exec(line);
  const [type, encoded] = [match?.[1], match?.[2]];
  if (type === undefined || encoded === undefined || !keyTypes.includes(type)) return false;
  const blob = Buffer.from(encoded, "base64");
  if (blob.toString("base64") !== encoded) return false;
  const fields = readFields(blob);
  if (fields?.[0]?.toString("latin1") !== type) return false;
  return type !== "ssh-ed25519" || (fields.length === 2 && fields[1]?.length === 32);
}

/** RFC 4253: a key is a row of fields, each a 32-bit length and that many bytes. */
function readFields(blob: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let offset = 0;
  while (offset < blob.length) {
    if (offset + 4 > blob.length) return undefined;
    const end = offset + 4 + blob.readUInt32BE(offset);
    if (end > blob.length) return undefined;
    fields.push(blob.subarray(offset + 4, end));
    offset = end;
  }
  return fields.length > 1 ? fields : undefined;
}
