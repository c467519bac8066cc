/** A disk that is full to its last block. */

import type { Circumstances, Fault } from "./fault.ts";
import type { FaultHost } from "./host.ts";
import { shows } from "./shown.ts";

/** A filesystem of its own for a folder, small enough to be filled, with what is in it. */
const ownFilesystem = (folder: string, size: string) => ({ machine }: FaultHost): Promise<unknown> => machine.run(`truncate -s ${size} /root/small.img; mkfs.ext4 -q /root/small.img; mount -o loop /root/small.img /mnt; rmdir /mnt/lost+found; cp -a ${folder}/. /mnt/; mount --bind /mnt ${folder}; umount /mnt`);
/** With what became of it there; /etc is not emptied meanwhile, since a system runs by it. */
const withoutFilesystem = (folder: string) => ({ machine }: FaultHost): Promise<unknown> => machine.run(`rm -rf /root/folder; cp -a ${folder} /root/folder; umount -l ${folder}; rm -f /root/small.img
    [ ${folder} = /etc ] || find ${folder} -mindepth 1 -delete; cp -a /root/folder/. ${folder}/; systemctl daemon-reload`);

/** To its last block, also of those that are freed only once the journal is written: some KiB would be enough for an update of /etc. */
export const fill = (folder: string) => ({ machine }: Circumstances): Promise<unknown> => machine.run(`cd ${folder}; fallocate -l "$(df --output=avail -B1 . | tail -1)" filler 2>/dev/null || :
    cat /dev/zero >filler-2 2>/dev/null || :
    for pass in 3 4 5; do sync -f .; cat /dev/zero >"filler-$pass" 2>/dev/null || :; done
    ! (head -c 4096 /dev/zero >filler-last && sync filler-last) 2>/dev/shm/full || exit 1; rm -f filler-last`);
/** What filled it is there still: nobody has made room but by the MiB that was reserved. */
export const full = (folder: string) => ({ machine }: Circumstances): Promise<string> => shows(machine, `[ "$(cat ${folder.replace(/\/$/, "")}/filler* | head -c 65536 | wc -c)" = 65536 ] && sed "s,.*: ,4 KiB in ${folder}: ," /dev/shm/full`, /4 KiB in .*: No space left on device/);
export const unfill = (folder: string) => ({ machine }: FaultHost): Promise<unknown> => machine.run(`rm -f ${folder}/filler*`);

export const fullFolder = (folder: string, size: string, ends: Fault["ends"]): Fault => ({
  name: `disk full on ${folder}`,
  steps: ["saving", "begun", "installing"],
  prepare: ownFilesystem(folder, size),
  strike: fill(folder),
  evidence: full(folder),
  undo: async (host) => {
    await unfill(folder)(host);
    await withoutFilesystem(folder)(host);
  },
  ends,
});
