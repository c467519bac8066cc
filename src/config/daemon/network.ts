/** Keys of daemon.json for bridges, addresses, name resolution and firewall rules. */

import { isIP } from "node:net";

import { z } from "zod";

import { anyText, count, flag, hostPath, listOf, oneOf, setting, tableOf, text } from "../setting.ts";

const isCidr = (value: string, version?: number): boolean => {
  const match = /^([0-9A-Fa-f:.]+)\/(\d{1,3})$/.exec(value);
  const found = isIP(match?.[1] ?? "");
  return found !== 0 && (version === undefined || found === version) && Number(match?.[2]) <= (found === 4 ? 32 : 128);
};
const address = z.string().refine((value) => isIP(value) !== 0).meta({ allowed: "an IP address" });
const address4 = z.string().refine((value) => isIP(value) === 4).meta({ allowed: "an IPv4 address" });
const address6 = z.string().refine((value) => isIP(value) === 6).meta({ allowed: "an IPv6 address" });
const cidr4 = z.string().refine((value) => isCidr(value, 4)).meta({ allowed: "an IPv4 network such as 172.17.0.1/16" });
const cidr6 = z.string().refine((value) => isCidr(value, 6)).meta({ allowed: "an IPv6 network such as 2001:db8:1::/64" });
const pool = z.strictObject({
  base: setting(z.string().refine((value) => isCidr(value)).meta({ allowed: "a network such as 10.10.0.0/16" }), {
    description: "Network that pools are cut from.",
    cost: "restart",
  }),
  size: setting(count(1, 128), { description: "Prefix length of each network cut from it.", cost: "restart" }),
}).meta({ allowed: "a table { base, size }" });

export const networkKeys = {
  icc: setting(flag, {
    description:
      "Containers on docker0 reach each other. false concerns the default bridge only, and needs iptables and the module " +
      "br_netfilter. With running containers a restart leaves docker0 as it is: Drydock makes the kernel drop the traffic until then.",
    initially: "true",
    cost: "restart",
    cis: "2.2",
    see: "https://docs.docker.com/engine/network/drivers/bridge/",
  }),
  iptables: setting(flag, {
    description: "The daemon writes firewall rules. Without them published ports and icc don't work as documented.",
    initially: "true",
    cost: "restart",
    cis: "2.4",
  }),
  ip6tables: setting(flag, { description: "The same for IPv6.", initially: "true from 27 on, before only with experimental", cost: "restart" }),
  "userland-proxy": setting(flag, {
    description:
      "One docker-proxy process for each published port. false leaves it to the kernel: no ::1 publishing, and on 20.10 with " +
      "icc=false a container can't call a published port of its own host.",
    initially: "true",
    cost: "restart",
    cis: "2.16",
  }),
  "userland-proxy-path": setting(hostPath, { description: "The docker-proxy binary.", initially: "found by the engine", cost: "restart" }),
  "ip-forward": setting(flag, { description: "The daemon switches net.ipv4.ip_forward on.", initially: "true", cost: "restart" }),
  "ip-forward-no-drop": setting(flag, {
    description: "Leave the FORWARD policy alone when ip-forward switches forwarding on; true makes the host a router for its neighbours.",
    initially: "false",
    cost: "restart",
    since: "28.0",
  }),
  "ip-masq": setting(flag, { description: "Masquerade what leaves docker0.", initially: "true", cost: "restart" }),
  ip: setting(address, { description: "Host address that published ports bind to.", initially: "0.0.0.0", cost: "restart", cis: "5.14" }),
  ipv6: setting(flag, { description: "IPv6 on the default bridge.", initially: "false", cost: "restart" }),
  bip: setting(cidr4, { description: "Address of docker0. Excludes `bridge`.", initially: "chosen by the engine", cost: "restart" }),
  bip6: setting(cidr6, { description: "IPv6 address of docker0. Excludes `bridge`.", cost: "restart", since: "28.0" }),
  bridge: setting(text("a network interface or none", /^[\w.-]{1,15}$/), {
    description: "Existing bridge to use instead of docker0; none for no default bridge.",
    initially: "docker0",
    cost: "restart",
  }),
  "fixed-cidr": setting(cidr4, { description: "Part of docker0's network for containers.", cost: "restart" }),
  "fixed-cidr-v6": setting(cidr6, { description: "IPv6 network of docker0.", cost: "restart" }),
  "default-gateway": setting(address4, { description: "IPv4 gateway of containers on docker0.", cost: "restart" }),
  "default-gateway-v6": setting(address6, { description: "IPv6 gateway of containers on docker0.", cost: "restart" }),
  mtu: setting(count(0, 65535), { description: "MTU of docker0, in bytes.", initially: "1500", cost: "restart" }),
  "default-address-pools": setting(listOf(pool, "pools { base, size }"), { description: "Networks that new user networks are cut from.", cost: "restart" }),
  "default-network-opts": setting(tableOf(tableOf(anyText, "options"), "options by network driver"), {
    description: 'Options of new user networks, e.g. { bridge: { "com.docker.network.bridge.enable_icc": "false" } }.',
    cost: "restart",
    since: "24.0",
    cis: "2.2",
  }),
  "network-control-plane-mtu": setting(count(0, 65535), { description: "MTU of the swarm control plane, in bytes.", initially: "1500", cost: "restart" }),
  "network-diagnostic-port": setting(count(0, 65535), { description: "TCP port of the network diagnostic server; 0 for none.", initially: "0", cost: "reload" }),
  "allow-direct-routing": setting(flag, { description: "Other hosts may reach published ports at container addresses.", initially: "false", cost: "restart", since: "28.2" }),
  "bridge-accept-fwmark": setting(text("a mark or mark/mask", /^(?:0x[0-9a-fA-F]+|\d+)(?:\/(?:0x[0-9a-fA-F]+|\d+))?$/), {
    description: "Packets with this firewall mark pass Docker's drop rules.",
    cost: "restart",
    since: "29.0",
  }),
  "firewall-backend": setting(oneOf(["iptables", "nftables"]), { description: "Who holds the rules.", initially: "iptables", cost: "restart", since: "29.0" }),
  dns: setting(listOf(address, "IP addresses"), { description: "Name servers of containers.", initially: "those of the host", cost: "restart" }),
  "dns-opts": setting(listOf(anyText, "resolver options"), { description: "Options in the containers' resolv.conf.", cost: "restart", see: "resolv.conf(5)" }),
  "dns-search": setting(listOf(anyText, "domains"), { description: "Search domains of containers.", cost: "restart" }),
  "host-gateway-ip": setting(address, { description: "Address that host-gateway in --add-host stands for.", initially: "that of docker0", cost: "restart" }),
  "host-gateway-ips": setting(listOf(address, "IP addresses"), { description: "The same, one each of IPv4 and IPv6.", cost: "restart", since: "28.0" }),
} as const;
