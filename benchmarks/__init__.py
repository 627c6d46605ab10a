"""How much work a request costs, measured against merely parsing its body. `make bench` writes docs/benchmarks.md."""
