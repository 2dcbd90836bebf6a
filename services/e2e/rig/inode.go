package rig

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"
)

// Where the fields of the kernel's sock_diag messages stand; see sock_diag(7).
const (
	diagProtocol = 4  // NETLINK_SOCK_DIAG
	diagByFamily = 20 // SOCK_DIAG_BY_FAMILY

	headerBytes, requestBytes, answerBytes = 16, 56, 72

	requestStates, requestFrom, requestTo = 4, 8, 10
	requestFromIP, requestToIP            = 12, 28
	requestCookie                         = 48
	answerInode                           = 68
)

// socketInode asks the kernel for the inode of the IPv4 socket that connects two addresses. Unlike a look into
// /proc/net/tcp it costs the same however many connections there are.
func socketInode(from, to netip.AddrPort) (uint32, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, diagProtocol)
	if err != nil {
		return 0, fmt.Errorf("asking the kernel for a connection: %w", err)
	}
	defer func() { _ = syscall.Close(fd) }()
	kernel := &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}
	if err := syscall.Sendto(fd, inodeRequest(from, to), 0, kernel); err != nil {
		return 0, fmt.Errorf("asking the kernel for a connection: %w", err)
	}
	answer := make([]byte, 4096) //nolint:mnd // more than one answer has
	n, _, err := syscall.Recvfrom(fd, answer, 0)
	if err != nil {
		return 0, fmt.Errorf("asking the kernel for a connection: %w", err)
	}
	kind := binary.NativeEndian.Uint16(answer[4:])
	if kind != diagByFamily || n < headerBytes+answerBytes {
		return 0, errNoCaller
	}
	return binary.NativeEndian.Uint32(answer[headerBytes+answerInode:]), nil
}

// inodeRequest is a header (length, type, flags) and an inet_diag_req_v2.
func inodeRequest(from, to netip.AddrPort) []byte {
	b := make([]byte, headerBytes+requestBytes)
	binary.NativeEndian.PutUint32(b, uint32(len(b))) //nolint:gosec // 72
	binary.NativeEndian.PutUint16(b[4:], diagByFamily)
	binary.NativeEndian.PutUint16(b[6:], syscall.NLM_F_REQUEST)
	r := b[headerBytes:]
	r[0], r[1] = syscall.AF_INET, syscall.IPPROTO_TCP
	binary.NativeEndian.PutUint32(r[requestStates:], ^uint32(0)) // any
	binary.BigEndian.PutUint16(r[requestFrom:], from.Port())
	binary.BigEndian.PutUint16(r[requestTo:], to.Port())
	copy(r[requestFromIP:], from.Addr().AsSlice())
	copy(r[requestToIP:], to.Addr().AsSlice())
	binary.NativeEndian.PutUint64(r[requestCookie:], ^uint64(0)) // none
	return b
}
