/** The first sectors of disks that LVM and RAID use, as base64: their tools are not on a lab machine, and wipefs(8) knows them by these. */

/** lvm2's label_header in sector 1 and its pv_header (lib/label/label.h, lib/format_text/layout.h). */
export function lvmHeader(): string {
  const disk = Buffer.alloc(1024);
  const label = disk.subarray(512);
  label.write("LABELONE", 0);
  label.writeBigUInt64LE(1n, 8);
  label.writeUInt32LE(32, 20);
  label.write("LVM2 001", 24);
  label.write("0123456789abcdefghijklmnopqrstuv", 32);
  label.writeUInt32LE(checksum(label.subarray(20)), 16);
  return disk.toString("base64");
}

/** mdp_superblock_1, version 1.2, 4 KiB from the start (linux/raid/md_p.h). */
export function raidHeader(): string {
  const disk = Buffer.alloc(8192);
  const superblock = disk.subarray(4096);
  superblock.writeUInt32LE(0xa92b4efc, 0);
  superblock.writeUInt32LE(1, 4);
  superblock.write("0123456789abcdef", 16);
  superblock.write("lab:0", 32);
  // Where it stands itself, in sectors.
  superblock.writeBigUInt64LE(8n, 144);
  return disk.toString("base64");
}

// --- Internal ---

/** CRC-32 from lvm2's own start value, without the last complement (lib/misc/crc.c). */
function checksum(bytes: Buffer): number {
  let crc = 0xf597a6cf;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return crc >>> 0;
}
