// SPDX-License-Identifier: GPL-2.0-or-later
/* protocols.c: those that are known. */
#include "bpf/protocols/protocol.h"

const struct protocol *const protocols[N_PROTOCOLS] = {
#define PROTOCOL(name) &name##_protocol,
#include "bpf/protocols/protocols.def"
};
