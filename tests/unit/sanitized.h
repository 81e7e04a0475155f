/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sanitized.h: how much of a long test is done under sanitizers, which take several times as long. What is
 * counted and compared is so in the ordinary build; what sanitizers find needs no crowd.
 */
#ifndef OTTOP_TESTS_SANITIZED_H
#define OTTOP_TESTS_SANITIZED_H

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#endif
