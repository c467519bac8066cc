/**
 * Keys of daemon.json that must be absent unless the stack file sets them, with the reason people read when somebody adds
 * one by hand. Every other key that the stack file does not set is the user's and stays: runtimes, labels, bip, dns, …
 *
 * Not here, although they matter: keys whose removal would itself weaken the host or take something away from it.
 * data-root, exec-root, features, firewall-backend and containerd hide or stop what runs there; without tlsverify and its
 * files a `-H tcp://` in docker.service would be open to everybody; userns-remap, icc, no-new-privileges, userland-proxy
 * and selinux-enabled can only be stricter than their default; log-driver, default-ulimits and exec-opts change workloads.
 */
export const securityKeys: Readonly<Record<string, string>> = {
  "allow-direct-routing": "opens published ports at container addresses to other hosts",
  "api-cors-header": "lets a web page in a browser command the daemon",
  "apparmor-profile": "replaces the profile that confines every container",
  "authorization-plugins": "hands each call of the API to a program that may allow anything, and ends the daemon when it is missing",
  "bridge-accept-fwmark": "lets marked packets past the rules that isolate containers",
  "debug": "opens profiling of the daemon to every client of the API",
  "default-cgroupns-mode": "may show containers the host's cgroup tree",
  "default-ipc-mode": "may let containers join each other's shared memory",
  "default-runtime": "runs every container with a program that may confine nothing",
  "experimental": "switches on what upstream does not support",
  "extension-config": "configures programs that run inside the daemon",
  "extension-dirs": "loads programs into the daemon",
  "group": "gives members of another group the daemon, and with it root",
  "hosts": "opens the daemon to the network, and with it root",
  "insecure-registries": "accepts images from whoever answers",
  "ip-forward-no-drop": "makes the host route between its networks",
  "ip6tables": "false leaves containers with IPv6 unprotected",
  "iptables": "false leaves published ports and the isolation of containers to nobody",
  "log-level": "may hide what the daemon does, or write requests with their secrets to its log",
  "network-diagnostic-port": "opens a port without authentication that can change networks",
  "nri-opts": "lets plugins change every container",
  "seccomp-profile": "replaces the profile that filters the system calls of every container",
};
