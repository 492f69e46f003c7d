/* The part of bench/hub where the kernel has nothing to do: sends of a few nanoseconds. */
#pragma once

/* What a send and its wake take on the loop's thread, and what one takes that coalesces. */
void bench_turns(void);
