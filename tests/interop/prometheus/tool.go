// SPDX-License-Identifier: GPL-2.0-or-later

//go:build tools

// Package tools names the program that is built here.
package tools

import _ "github.com/prometheus/prometheus/cmd/prometheus"
