/** Somebody who asks a container on the host ten times a second, and how much of it was answered. */

import type { Machine } from "../../../lab/machine.ts";

export interface Requests {
  sent: number;
  lost: number;
  /** Between two answers, at most; seconds. */
  longestPause: number;
}

/** Begins on the host itself, over its own address and not the loopback one: past docker-proxy and the NAT of OUTPUT as a neighbour on the host is, and no connection of SSH is in it. */
export async function startRequests(machine: Machine, port: number): Promise<void> {
  await machine.run(`
    mkdir -p /root/requests; rm -f /root/requests/*
    cat >/root/requests/client.pl <<'PERL'
${client}
PERL
    address=$(ip -4 -o addr show eth0 | sed 's/.*inet \\([0-9.]*\\).*/\\1/')
    systemd-run --quiet --collect --unit=requests perl /root/requests/client.pl "$address" ${port}
    sleep 3; grep -c answered /root/requests/log >/dev/null`);
}

export async function stopRequests(machine: Machine): Promise<Requests> {
  const lines = (await machine.run("systemctl stop requests; cat /root/requests/log")).split("\n").map((line) => line.split(" "));
  const answered = lines.filter(([, how]) => how === "answered").map(([time]) => Number(time));
  const pauses = answered.slice(1).map((time, i) => time - (answered[i] ?? time));
  return { sent: lines.length, lost: lines.length - answered.length, longestPause: Math.round(Math.max(...pauses) * 10) / 10 };
}

// --- Internal ---

// perl-base is on each Debian; a shell would need three processes a request.
const client = `
use strict; use IO::Socket::INET; use IO::Select; use Time::HiRes qw(time sleep);
my ($address, $port) = @ARGV;
open(my $log, ">", "/root/requests/log") or die; $log->autoflush(1);
$SIG{PIPE} = "IGNORE";
while (1) {
  my $begin = time;
  my $answer = "";
  my $socket = IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port, Proto => "tcp", Timeout => 1);
  if ($socket) {
    syswrite($socket, "GET / HTTP/1.0\\r\\n\\r\\n");
    sysread($socket, $answer, 64) if IO::Select->new($socket)->can_read(1);
    close($socket);
  }
  printf $log "%.3f %s\\n", time, ($answer =~ m{^HTTP/} ? "answered" : "lost");
  my $rest = $begin + 0.1 - time;
  sleep($rest) if $rest > 0;
}`;
