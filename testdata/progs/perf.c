/* perf_event_open: attributes of every size that kernels have had, and others,
 * by type of event, with each flag, and with nothing, little and everything set. */
#include "pretend.h"

static char *m; /* a page, and none behind it */

static uint64_t w[20]; /* struct perf_event_attr, and more */

static void event(int size, int kept, long answer)
{
	char *a = m + 4096 - kept;

	((uint32_t *)w)[1] = size;
	memcpy(a, w, kept);
	syscall(SYS_perf_event_open, a, -1L, 2L, -3L, (long)size % 16, answer);
}

static void fill(int form)
{
	for (int i = 0; i < 20; i++)
		w[i] = form == 0 ? 0 : form == 1 ? i % 3 : form == 2 ? i * 0x101010101010101 : form == 3 ? -1 : 1ull << i * 5 % 64;
}

int main(void)
{
	static const int sizes[] = {0, 1, 63, 64, 65, 68, 72, 76, 79, 80, 84, 88, 92, 94, 96, 100, 104, 108, 110, 111, 112, 113, 116, 118, 120,
		124, 127, 128, 132, 136, 140, 144, 152, 160, -1};

	m = room(4096);
	pretend();
	for (int form = 0; form < 5; form++) {
		for (int type = 0; type < 8; type++) {
			for (int i = 0; i < sizeof sizes / sizeof *sizes; i++) {
				int kept = sizes[i] > 0 && sizes[i] < 160 ? sizes[i] : 160;

				fill(form);
				w[0] = type;
				event(sizes[i], kept, i % 3 ? FINE : FAIL);
				event(sizes[i], kept < 8 ? kept : kept - 4, FAIL);
			}
			fill(form);
			w[0] = type;
			for (int bit = 0; bit < 64; bit++) {
				w[5] = 1ull << bit;
				event(144, 144, FINE);
			}
		}
	}
	for (int type = 0; type < 6; type++) {
		for (int i = 0; i < 64; i++) {
			fill(0);
			w[0] = type;
			w[1] = i < 20 ? i : i < 40 ? i % 10 << 8 | i % 3 << 16 | i : 1ull << i;
			w[3] = 1ull << i;
			w[4] = 1ull << i;
			w[9] = 1ull << i;
			((uint32_t *)w)[13] = i < 10 ? i : 1u << i % 32; /* bp_type */
			((uint32_t *)w)[22] = i; /* clock */
			w[5] = i % 2 << 25;
			((uint32_t *)w)[29] = 1u << i % 32; /* aux_action */
			w[15] = i;
			w[16] = i;
			w[17] = i;
			event(144, 144, FINE);
		}
	}
	for (long a = 0; a < 3; a++)
		syscall(SYS_perf_event_open, a * 8, 0L, 0L, 0L, -1L, FAIL);
	return 0;
}
