"""Two hosts in network namespaces with a bad line between them.

The line is a pair of TUN devices whose packets this process carries over, so it needs nothing of the kernel but
namespaces and TUN (`sch_netem` is missing from many virtual machines' kernels); losses come from a seeded generator.
What `tc netem` calls loss, delay with jitter (packets overtake each other) and rate (with a tail-drop queue) is the
same here.
"""

import asyncio
import ctypes
import fcntl
import os
import random
import struct
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

NODE_ADDRESS, PEER_ADDRESS, PEER_LATER = "198.18.0.1", "198.18.0.2", "198.18.0.3"
"""From the range for tests of network devices (RFC 2544)."""

_PREFIX = "acnet"
_QUEUE_S = 0.4
_MTU = 1500
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 1, 0x1000
_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True)
class Line:
    """How good the line is, the same in both directions. 0 bit/s means unlimited."""

    loss: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    rate_bps: float = 0.0
    up: bool = True


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _remove_stale() -> None:
    """Namespaces of runs that were killed."""
    for name in subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout.split():
        pid = name.split("-")[1] if name.startswith(f"{_PREFIX}-") else ""
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            _ip("netns", "del", name)


class _End:
    """One end: a namespace and its device."""

    def __init__(self, role: str, address: str) -> None:
        self.namespace = f"{_PREFIX}-{os.getpid()}-{role}"
        self.device = f"ac{role}{os.getpid()}"[:15]
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, _TUNSETIFF, struct.pack("16sH22x", self.device.encode(), _IFF_TUN | _IFF_NO_PI))
        _ip("netns", "add", self.namespace)
        _ip("link", "set", self.device, "netns", self.namespace)
        self.ip("link", "set", "lo", "up")
        self.ip("link", "set", self.device, "mtu", str(_MTU), "up")
        self.ip("addr", "add", f"{address}/24", "dev", self.device)
        self.ip("route", "add", "default", "dev", self.device)

    def ip(self, *words: str) -> None:
        _ip("-n", self.namespace, *words)

    def remove(self) -> None:
        os.close(self.fd)
        _ip("netns", "del", self.namespace)


class TwoHosts:
    """A context manager: makes both hosts, moves this process and its later children to the node's, removes them.

    Attributes:
        line: Assign to change the line.
        carried / dropped: Packets so far.

    Raises:
        PermissionError: Not root.
    """

    def __init__(self, seed: int = 1) -> None:
        self.line = Line()
        self.carried = self.dropped = 0
        self._random = random.Random(seed)
        self._free_s: dict[int, float] = {}
        self._ends: list[_End] = []
        self._home = -1

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise PermissionError("network namespaces need root: run this as root")
        _remove_stale()
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY)
        try:
            self._ends.append(_End("node", NODE_ADDRESS))
            self._ends.append(_End("peer", PEER_ADDRESS))
            with Path(f"/run/netns/{self._ends[0].namespace}").open() as namespace:
                _enter(namespace.fileno())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        _enter(self._home)
        os.close(self._home)
        for end in self._ends:
            end.remove()

    def attach(self) -> None:
        """Begin to carry packets, in the running loop."""
        loop = asyncio.get_running_loop()
        node, peer = self._ends
        loop.add_reader(node.fd, self._read, node.fd, peer.fd)
        loop.add_reader(peer.fd, self._read, peer.fd, node.fd)

    def detach(self) -> None:
        """Carry no more."""
        for end in self._ends:
            asyncio.get_running_loop().remove_reader(end.fd)

    def on_peer(self, *command: str) -> list[str]:
        """The command, to be run on the peer's host."""
        return ["ip", "netns", "exec", self._ends[1].namespace, *command]

    def move_peer(self, old: str, new: str) -> None:
        """Give the peer's host another address."""
        peer = self._ends[1]
        # The old one first: a second address of the same network would go with it.
        peer.ip("addr", "del", f"{old}/24", "dev", peer.device)
        peer.ip("addr", "add", f"{new}/24", "dev", peer.device)
        peer.ip("route", "replace", "default", "dev", peer.device)

    def _read(self, source: int, target: int) -> None:
        with suppress(BlockingIOError):
            for _ in range(64):
                self._carry(os.read(source, 65536), target)

    def _carry(self, packet: bytes, target: int) -> None:
        line, loop = self.line, asyncio.get_running_loop()
        now_s = leaves_s = loop.time()
        if line.rate_bps:
            leaves_s = max(now_s, self._free_s.get(target, 0.0)) + len(packet) * 8 / line.rate_bps
        if not line.up or self._random.random() < line.loss or leaves_s - now_s > _QUEUE_S:
            self.dropped += 1
            return
        if line.rate_bps:
            self._free_s[target] = leaves_s
        self.carried += 1
        leaves_s += (line.delay_ms + self._random.uniform(0, line.jitter_ms)) / 1000
        if leaves_s > now_s:
            loop.call_at(leaves_s, _write, target, packet)
        else:
            _write(target, packet)


def _write(fd: int, packet: bytes) -> None:
    with suppress(OSError):  # a full queue drops, as any interface does; at the end the device is gone
        os.write(fd, packet)


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "cannot enter the network namespace")
