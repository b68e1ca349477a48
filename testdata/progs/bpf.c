/* bpf by command: attributes of every size that kernels have had, and others,
 * with nothing, little and everything in them, and with pointers good and bad.
 * With an argument all calls fail: none makes a descriptor. */
#include "pretend.h"

enum { /* of enum bpf_cmd (include/uapi/linux/bpf.h) */
	PROG_LOAD = 5, OBJ_PIN, OBJ_GET, PROG_ATTACH, PROG_DETACH, OBJ_GET_INFO = 15, PROG_QUERY, RAW_TRACEPOINT, BTF_LOAD,
	TASK_FD_QUERY = 20, LINK_CREATE = 28, STREAM_READ = 37, LAST = 39
};

static const int sizes[] = {0, 1, 4, 8, 11, 12, 16, 17, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 61, 64, 68, 72, 76, 80, 88,
	92, 96, 104, 112, 116, 120, 124, 128, 132, 136, 140, 144, 148, 152, 160, 168, 176, 200};
enum { SIZES = sizeof sizes / sizeof *sizes };

static char *m; /* a page, and none behind it */
static int fail;

/* At the end of the page: what lies behind the size given cannot be read. */
static char *attr(int size, const void *from)
{
	char *a = m + 4096 - size;

	memcpy(a, from, size);
	return a;
}

static void bpf(long cmd, const void *from, int size, long answer)
{
	syscall(SYS_bpf, cmd, attr(size, from), (long)size, 0, 0, fail ? FAIL : answer);
}

static uint32_t w[1024]; /* the attributes */

static void ptr(int off, const void *p)
{
	memcpy((char *)w + off, &p, 8);
}

static void fill(int form)
{
	for (int i = 0; i < 1024; i++)
		w[i] = form == 0 ? 0 : form == 1 ? i % 3 : form == 2 ? i + 1 : form == 3 ? -1 : 1u << i % 32;
}

static void all_sizes(long cmd, int ends)
{
	for (int i = 0; i < SIZES; i++)
		bpf(cmd, w, sizes[i], ends || i % 3 ? FAIL : FINE);
}

/* Every code, and registers that there are not. */
static uint64_t *codes(void)
{
	uint64_t *c = (uint64_t *)room(256 * 8);

	for (uint64_t i = 0; i < 256; i++)
		c[i] = i | (i * 7 & 0xff) << 8 | i * 257 << 16 | i * 0x1010101 << 32;
	return c;
}

static void programs(uint64_t *code, char *text, char *bytes)
{
	static const uint32_t counts[] = {0, 1, 5, 31, 32, 33, 256, 257, 5000, -1};

	for (int i = 0; i < 10; i++) {
		fill(0);
		w[0] = i * 3, w[1] = counts[i];
		ptr(8, code);
		ptr(16, text);
		w[6] = 1, w[7] = counts[i]; /* log */
		ptr(32, i % 3 ? bytes : text);
		w[10] = 0x50607;
		w[11] = 1 << i | 0x300;
		strcpy((char *)&w[12], "program-of-15-c");
		if (i % 2)
			((char *)w)[63] = 'x';
		w[16] = i; /* interface */
		w[17] = i * 8;
		ptr(152, i == 5 ? text : bytes); /* signature */
		w[40] = counts[i];
		w[41] = -i;
		all_sizes(PROG_LOAD, i % 2);
	}
	for (int i = 0; i < 6; i++) { /* bad ones */
		fill(0);
		w[1] = 3;
		ptr(8, i & 1 ? (void *)16 : code + 254);
		ptr(16, i & 2 ? (void *)24 : text + 40);
		w[7] = 9;
		ptr(32, i & 4 ? (void *)32 : bytes + 250);
		ptr(152, i & 1 ? (void *)40 : bytes + 250);
		w[40] = 8;
		all_sizes(PROG_LOAD, i % 2);
	}
}

static void strings(char *text, char *path, char *bytes)
{
	char *end = room(4);

	memcpy(end, "endl", 4);
	for (int i = 0; i < 6; i++) {
		char *p = (char *[]){0, (char *)8, text, path, end, bytes}[i];

		fill(0);
		ptr(0, p);
		w[2] = i - 1;
		w[3] = 8 << i * 2;
		w[4] = i % 2 ? -100 : i;
		all_sizes(OBJ_PIN, i % 2);
		all_sizes(OBJ_GET, i % 2);
		w[4] = 0x1234;
		all_sizes(RAW_TRACEPOINT, i % 2);
		for (int len = 0; len < 40; len += 3) {
			fill(0);
			ptr(0, p); /* BTF_LOAD, PROG_STREAM_READ_BY_FD */
			ptr(8, p);
			w[4] = w[2] = len;
			w[5] = len;
			w[8] = 1 << len;
			bpf(BTF_LOAD, w, 40, len % 2 ? FINE : FAIL);
			bpf(BTF_LOAD, w, 32, len % 2 ? FINE : FAIL);
			bpf(BTF_LOAD, w, 28, len % 2 ? FINE : FAIL);
			bpf(STREAM_READ, w, 20, len % 2 ? FINE : FAIL);
			fill(0);
			w[3] = len;
			ptr(16, p); /* TASK_FD_QUERY */
			w[7] = len / 3;
			bpf(TASK_FD_QUERY, w, 48, len % 2 ? FINE : FAIL);
		}
	}
}

static void links(char *text, char *path, uint64_t *code)
{
	char **names = (char **)room(5 * sizeof(char *));

	names[0] = text;
	names[1] = path;
	names[2] = (char *)16;
	names[4] = text + 3;
	for (int type = 0; type < 66; type++) {
		for (int i = 0; i < 8; i++) {
			static const int lengths[] = {16, 20, 24, 28, 32, 40, 48, 60, 64, 72};

			fill(i % 2 ? 2 : 4);
			w[2] = type;
			w[3] = (int[]){0, 8, 16, 0x28, 0x20, 4, -1, 0x38}[i];
			for (int k = 0; k < 10; k++)
				bpf(LINK_CREATE, w, lengths[k], k % 2 ? FINE : FAIL);
		}
	}
	for (int i = 0; i < 40; i++) { /* counts, then arrays */
		fill(0);
		w[2] = 42; /* BPF_TRACE_KPROBE_MULTI */
		w[4] = i % 4;
		w[5] = i % 7;
		ptr(24, i % 5 ? names : 0);
		ptr(32, i % 6 ? code + 250 : (void *)8);
		ptr(40, i % 4 ? code + i : 0);
		bpf(LINK_CREATE, w, 64, i % 2 ? FINE : FAIL);
		w[2] = 48; /* BPF_TRACE_UPROBE_MULTI */
		ptr(16, i % 5 ? path : (char *)4);
		ptr(24, i % 6 ? code + 250 : (void *)8);
		ptr(32, i % 4 ? code + i : 0);
		ptr(40, code);
		w[12] = i < 38 ? i % 9 : i == 38 ? 40 : -1;
		w[13] = i % 5;
		w[14] = getpid();
		w[15] = i % 2 ? -100 : i;
		bpf(LINK_CREATE, w, i % 3 ? 64 : 60, i % 2 ? FINE : FAIL);
		w[2] = 28; /* BPF_TRACE_ITER */
		ptr(16, i % 4 ? (char *)code + 2000 : (char *)i);
		w[6] = i < 38 ? i % 13 : i == 38 ? 40 : -1;
		bpf(LINK_CREATE, w, i % 3 ? 28 : 32, i % 2 ? FINE : FAIL);
		w[2] = 59 + i % 3; /* BPF_TRACE_FENTRY_MULTI, FEXIT, FSESSION */
		ptr(24, i % 5 ? code + 240 : (void *)8);
		w[8] = i < 38 ? i % 17 : i == 38 ? 40 : -1;
		bpf(LINK_CREATE, w, 36, i % 2 ? FINE : FAIL);
	}
}

static void queries(uint64_t *code)
{
	for (int i = 0; i < 60; i++) {
		static const int lengths[] = {24, 28, 32, 40, 48, 56, 64, 72};

		fill(0);
		w[0] = 1;
		w[1] = i;
		w[2] = i % 4;
		w[3] = 1 << i % 8;
		ptr(16, i % 5 ? (char *)code + 2048 - 4 * (i % 7) : (char *)i);
		w[6] = i < 58 ? i % 6 : i == 58 ? 40 : -1;
		ptr(32, i % 3 ? (char *)code : 0);
		ptr(40, i % 4 ? (char *)code + 2000 : 0);
		ptr(48, i % 6 ? (char *)code + 1000 : (char *)i);
		w[14] = i;
		for (int k = 0; k < 8; k++)
			bpf(PROG_QUERY, w, lengths[k], k % 2 ? FINE : FAIL);
	}
}

int main(int argc, char **argv)
{
	char *text = strcpy(room(64), "GPL, and \"more\" than thirty-two\tcharacters of it"), *path = strcpy(room(40), "/sys/fs/bpf/an object with a long name");
	char *bytes = room(256);
	uint64_t *code = codes();

	fail = argc > 1;
	m = room(4096);
	for (int i = 0; i < 256; i++)
		bytes[i] = i * 7 + 1;
	pretend();
	for (int form = 0; form < 5; form++) {
		for (int cmd = 0; cmd < LAST + 2; cmd++) {
			fill(form);
			all_sizes(cmd, form == 1);
			syscall(SYS_bpf, (long)cmd, 0L, 8L, 0, 0, FAIL);
			syscall(SYS_bpf, (long)cmd, 8L, 8L, 0, 0, FAIL);
			syscall(SYS_bpf, (long)cmd, m + 4092, 8L, 0, 0, FAIL);
		}
	}
	for (int cmd = -1; cmd < LAST; cmd++) { /* nothing known, but a byte somewhere behind it */
		fill(0);
		w[1023] = 1;
		bpf(cmd, w, 4096, FAIL);
		w[50] = 0x1020304;
		bpf(cmd, w, 204, FINE);
		syscall(SYS_bpf, (long)cmd, m, 4097L, 0, 0, FAIL);
	}
	programs(code, text, bytes);
	strings(text, path, bytes);
	links(text, path, code);
	queries(code);
	return 0;
}
