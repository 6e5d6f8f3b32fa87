#include "packet-info.h"

namespace sluice {

#ifdef __linux__

static_assert(sizeof(in_pktinfo) <= sizeof(PacketInfo), "one space for both");

bool isForAllAddresses(const Address& address) {
  static const Address any;
  return address.isV4() ? memcmp(address.ip + 12, any.ip, 4) == 0 : memcmp(address.ip, any.ip, sizeof any.ip) == 0;
}

void askForLocal(int fd, int family) {
  const int on = 1;
  if (family == AF_INET) setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  else setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
}

bool readLocal(const cmsghdr* control, LocalIp& out) {
  if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
    in_pktinfo info;
    memcpy(&info, CMSG_DATA(control), sizeof info);
    out = {};
    out.ip[10] = out.ip[11] = 0xff;
    memcpy(out.ip + 12, &info.ipi_spec_dst, 4);
    return true;
  }
  if (control->cmsg_level != IPPROTO_IPV6 || control->cmsg_type != IPV6_PKTINFO) return false;
  in6_pktinfo info;
  memcpy(&info, CMSG_DATA(control), sizeof info);
  memcpy(out.ip, &info.ipi6_addr, sizeof out.ip);
  return true;
}

size_t writeLocal(const SocketName& name, cmsghdr* control) {
  if (name.bytes.sin6_family == AF_INET) {
    in_pktinfo info = {};
    memcpy(&info.ipi_spec_dst, name.local.ip + 12, 4);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(control), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
  }
  in6_pktinfo info = {};
  memcpy(&info.ipi6_addr, name.local.ip, sizeof name.local.ip);
  control->cmsg_level = IPPROTO_IPV6;
  control->cmsg_type = IPV6_PKTINFO;
  control->cmsg_len = CMSG_LEN(sizeof info);
  memcpy(CMSG_DATA(control), &info, sizeof info);
  return CMSG_SPACE(sizeof info);
}
#else

bool isForAllAddresses(const Address&) { return false; }
void askForLocal(int, int) {}
bool readLocal(const cmsghdr*, LocalIp&) { return false; }
size_t writeLocal(const SocketName&, cmsghdr*) { return 0; }

#endif

}  // namespace sluice
