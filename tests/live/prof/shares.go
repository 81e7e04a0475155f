// SPDX-License-Identifier: GPL-2.0-or-later

// shares.go: what shares.c is, in Go: interfaces, closures, methods, generics.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"unsafe"
)

const roundNs = 250000000

var until int64
var sink uint64

//go:noinline
func cpuNs() int64 {
	var t syscall.Timespec

	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 3, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

func hasTime() bool {
	return cpuNs() < until
}

//go:noinline
func spin(from uint64) {
	for i := from; i < from+20000; i++ {
		sink += i * 2654435761
	}
}

// perf by frame pointers misses the caller of a leaf: that is this one.
//
//go:noinline
func burn() {
	for i := uint64(0); i < 10; i++ {
		spin(i)
	}
}

type shape interface{ area() int }
type circle struct{ r int }
type square struct{ a int }

//go:noinline
func (c *circle) area() int {
	for hasTime() {
		burn()
	}
	return c.r
}

//go:noinline
func (s *square) area() int {
	for hasTime() {
		burn()
	}
	return s.a
}

//go:noinline
func measure(s shape) int {
	return s.area() + 1
}

//go:noinline
func generic[T any](x T) T {
	for hasTime() {
		burn()
	}
	return x
}

//go:noinline
func recurse(depth int) int {
	if depth == 0 {
		for hasTime() {
			burn()
		}
		return 0
	}
	return recurse(depth-1) + 1
}

//go:noinline
func call(f func()) {
	f()
	sink++
}

//go:noinline
func closure() {
	x := sink
	call(func() {
		for hasTime() {
			burn()
		}
		sink += x
	})
	sink++
}

type path struct {
	name    string
	percent int64
	used    int64
	run     func()
}

func main() {
	runtime.LockOSThread() // the clock is the thread's
	debug.SetGCPercent(-1)
	ms := 3000
	if len(os.Args) > 1 {
		ms, _ = strconv.Atoi(os.Args[1])
	}
	c, s := shape(&circle{1}), shape(&square{2})
	paths := []path{
		{"runtime.main;main.main;main.measure;main.(*circle).area", 35, 0, func() { sink += uint64(measure(c)) }},
		{"runtime.main;main.main;main.measure;main.(*square).area", 25, 0, func() { sink += uint64(measure(s)) }},
		{"runtime.main;main.main;main.recurse;main.recurse", 20, 0, func() { sink += uint64(recurse(30)) }},
		{"runtime.main;main.main;main.generic", 10, 0, func() { sink += uint64(generic(int64(1))) }},
		{"runtime.main;main.main;main.closure;main.call;main.closure.func1", 10, 0, func() { closure(); sink++ }},
	}
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
	begin := cpuNs()
	for cpuNs()-begin < int64(ms)*1000000 {
		for i := range paths {
			now := cpuNs()
			until = now + roundNs*paths[i].percent/100
			paths[i].run()
			paths[i].used += cpuNs() - now
		}
	}
	for _, p := range paths {
		fmt.Printf("%s %d\n", p.name, p.used)
	}
}
