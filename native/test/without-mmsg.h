// Makes this machine look like one without sendmmsg and recvmmsg, to compile what such machines (macOS) get.
#pragma once
#define mmsghdr hiddenMmsghdr
#define sendmmsg hiddenSendmmsg
#define recvmmsg hiddenRecvmmsg
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#undef mmsghdr
#undef sendmmsg
#undef recvmmsg
#undef SOL_UDP
#undef UDP_SEGMENT
#undef UDP_GRO
// The standard library's headers have to see the system that it is.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>
#undef __linux__
