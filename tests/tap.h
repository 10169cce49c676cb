/*
 * Test results, one line each: "ok - ...", "not ok - ...", "skip - ..."
 *
 * This file is part of FFmpeg.
 *
 * FFmpeg is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * FFmpeg is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with FFmpeg; if not, write to the Free Software
 * Foundation, Inc., 51 Franklin Street, Fifth Floor, Boston, MA 02110-1301 USA
 */

#ifndef FFREEL_TESTS_TAP_H
#define FFREEL_TESTS_TAP_H

#include <stdarg.h>
#include <stdio.h>

/* tests/run counts these lines over all programs; a program that ends without
 * tap_done() counts as one failure */
static int tap_nb_failed, tap_nb;

static inline void tap_line(const char *kind, const char *fmt, va_list ap)
{
    printf("%s - ", kind);
    vprintf(fmt, ap);
    putchar('\n');
    fflush(stdout);
}

/** @return cond, so that a caller can stop at what all else depends on */
__attribute__((format(printf, 2, 3)))
static inline int tap_ok(int cond, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tap_line(cond ? "ok" : "not ok", fmt, ap);
    va_end(ap);
    tap_nb++;
    tap_nb_failed += !cond;
    return cond;
}

/** what was not tested, and why: the reader must be able to mend it */
__attribute__((format(printf, 1, 2)))
static inline void tap_skip(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tap_line("skip", fmt, ap);
    va_end(ap);
}

/** @return the exit status */
static inline int tap_done(void)
{
    printf("done - %d tests, %d failed\n", tap_nb, tap_nb_failed);
    return tap_nb_failed || !tap_nb;
}

#endif /* FFREEL_TESTS_TAP_H */
