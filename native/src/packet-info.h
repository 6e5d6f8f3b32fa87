// To which of this machine's addresses a datagram came, and from which an answer leaves (ip(7), ipv6(7)): sockets for all addresses have to say it with each
// datagram, or the system chooses an address that the peer never sent to. Only Linux's way is known here.
#pragma once
#include "address.h"
#include <cstddef>

namespace sluice {

#ifdef __linux__
using PacketInfo = in6_pktinfo;
#else
using PacketInfo = int;
#endif
/** Room for the control message, whatever the family. */
constexpr size_t kPacketInfoSpace = CMSG_SPACE(sizeof(PacketInfo));

bool isForAllAddresses(const Address& address);
/** From now on datagrams say to which address they came. */
void askForLocal(int fd, int family);
/** False: the control message says something else. */
bool readLocal(const cmsghdr* control, LocalIp& out);
/** Writes `name.local` into a control message, as `name`'s family has it; returns the space it takes, 0 where that cannot be said. */
size_t writeLocal(const SocketName& name, cmsghdr* control);

}  // namespace sluice
