/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A network of a test's own. */
#ifndef TESTS_OWN_NAMESPACE_H
#define TESTS_OWN_NAMESPACE_H

#include <stdbool.h>

/*
 * This process and its children have a network namespace of their own from now on, with a loopback and the right to make
 * interfaces. false: not possible here.
 */
bool own_namespace(void);

#endif
