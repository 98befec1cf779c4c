/*
 * confine.h - the walls around the policy worker, beside those of the sandbox.
 */
#ifndef POLICY_CONFINE_H
#define POLICY_CONFINE_H

#include "base/err.h"

enum { CONFINE_MEMORY_MAX = 256 << 20 }; /* bytes of address space that may be added */

/*
 * From here on this process reads and writes `channel`, writes stderr, gets memory and ends; any
 * other system call kills it. It dies with its parent, opens no file, gains no privilege, leaves
 * no core and cannot be traced. Under AddressSanitizer, which needs more than that, only the part
 * that it can live with. -1: a wall could not be put up.
 */
int confine(int channel, struct err *err);

#endif
