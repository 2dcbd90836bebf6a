// Package e2e tests Hale from outside: the real binary, real engines, real clients that nobody here wrote, and
// kill -9. What runs the processes is in rig; the benchmarks are in bench.
package e2e
