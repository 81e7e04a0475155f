/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sanitized.h: reduces long tests under sanitizers, which are several times slower. Counts and
 * comparisons are made in the ordinary build; sanitizers need no large amounts.
 */
#pragma once

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#else
#define SANITIZED 0
#endif
