/** The words of AppArmor's language that a stack file may use: capabilities(7), address_families(7), apparmor.d(5). */

/** In lower case, as apparmor_parser 3.0 takes them; those of the kernel's include/uapi/linux/capability.h up to 6.1. */
export const capabilities = [
  "audit_control", "audit_read", "audit_write", "block_suspend", "bpf", "checkpoint_restore", "chown", "dac_override", "dac_read_search", "fowner",
  "fsetid", "ipc_lock", "ipc_owner", "kill", "lease", "linux_immutable", "mac_admin", "mac_override", "mknod", "net_admin", "net_bind_service",
  "net_broadcast", "net_raw", "perfmon", "setfcap", "setgid", "setpcap", "setuid", "sys_admin", "sys_boot", "sys_chroot", "sys_module", "sys_nice",
  "sys_pacct", "sys_ptrace", "sys_rawio", "sys_resource", "sys_time", "sys_tty_config", "syslog", "wake_alarm",
] as const;

/** Those that programs in containers use; `unix` is in the base of every profile. */
export const families: readonly string[] = ["inet", "inet6", "netlink", "packet", "bluetooth", "can", "rds", "tipc", "vsock", "xdp"];

export const socketTypes: readonly string[] = ["stream", "dgram", "seqpacket", "raw", "rdm"];
