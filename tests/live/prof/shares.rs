// SPDX-License-Identifier: GPL-2.0-or-later
// shares.rs: what shares.c is, in Rust: trait objects, closures, generics, panics that are caught.
use std::hint::black_box;
use std::io::Write;
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};

const ROUND_NS: u64 = 250_000_000;
static UNTIL: AtomicU64 = AtomicU64::new(0);

#[repr(C)]
struct Timespec {
    sec: i64,
    nsec: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, t: *mut Timespec) -> i32;
}

#[inline(never)]
fn cpu_ns() -> u64 {
    let mut t = Timespec { sec: 0, nsec: 0 };
    unsafe { clock_gettime(3, &mut t) }; // CLOCK_THREAD_CPUTIME_ID
    t.sec as u64 * 1_000_000_000 + t.nsec as u64
}

fn has_time() -> bool {
    cpu_ns() < UNTIL.load(Ordering::Relaxed)
}

#[inline(never)]
fn burn() {
    let mut sum = 0u64;
    for i in 0..200_000u64 {
        sum = black_box(sum.wrapping_add(i.wrapping_mul(2654435761)));
    }
    black_box(sum);
}

trait Shape {
    fn area(&self) -> u64;
}
struct Circle(u64);
struct Square(u64);

impl Shape for Circle {
    #[inline(never)]
    fn area(&self) -> u64 {
        while has_time() {
            burn();
        }
        black_box(self.0)
    }
}

impl Shape for Square {
    #[inline(never)]
    fn area(&self) -> u64 {
        while has_time() {
            burn();
        }
        black_box(self.0 + 1)
    }
}

#[inline(never)]
fn measure(s: &dyn Shape) -> u64 {
    black_box(s.area() + 1)
}

#[inline(never)]
fn generic<T: Copy>(x: T) -> T {
    while has_time() {
        burn();
    }
    black_box(x)
}

#[inline(never)]
fn deep(depth: u32) -> u32 {
    if depth == 0 {
        panic::panic_any(1u32);
    }
    black_box(deep(depth - 1) + 1)
}

#[inline(never)]
fn panics() {
    while has_time() {
        for _ in 0..20 {
            let r = panic::catch_unwind(|| deep(10));
            let _ = black_box(r.is_err());
        }
    }
}

#[inline(never)]
fn on_heap(f: Box<dyn Fn()>) {
    f();
    black_box(0);
}

#[inline(never)]
fn close() {
    on_heap(Box::new(|| {
        while has_time() {
            burn();
        }
    }));
    black_box(0);
}

fn main() {
    let ms: u64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(3000);
    let circle: Box<dyn Shape> = black_box(Box::new(Circle(1)));
    let square: Box<dyn Shape> = black_box(Box::new(Square(2)));
    let mut paths: Vec<(&str, u64, u64, Box<dyn Fn()>)> = vec![
        ("main;measure;Circle;burn", 30, 0, Box::new(move || { black_box(measure(&*circle)); })),
        ("main;measure;Square;burn", 25, 0, Box::new(move || { black_box(measure(&*square)); })),
        ("main;panics", 20, 0, Box::new(|| { panics(); black_box(()); })),
        ("main;generic;burn", 15, 0, Box::new(|| { black_box(generic(1u16)); })),
        ("main;close;on_heap;burn", 10, 0, Box::new(|| { close(); black_box(()); })),
    ];
    let mut line = String::new();

    panic::set_hook(Box::new(|_| {}));
    println!("ready");
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_line(&mut line).unwrap();
    let begin = cpu_ns();
    while cpu_ns() - begin < ms * 1_000_000 {
        for p in paths.iter_mut() {
            let now = cpu_ns();
            UNTIL.store(now + ROUND_NS * p.1 / 100, Ordering::Relaxed);
            (p.3)();
            p.2 += cpu_ns() - now;
        }
    }
    for p in &paths {
        println!("{} {}", p.0, p.2);
    }
}
