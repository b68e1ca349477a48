/* Socket addresses of every family, of many lengths and with many values. No
 * call gets further than to its descriptor, which is none. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned char b[256];

static void start(int family)
{
	memset(b, 0, sizeof b);
	b[0] = family;
}

static void put(int off, unsigned n) { b[off] = n, b[off + 1] = n >> 8; }

static void bind_to(int length) { syscall(SYS_bind, -1, b, length); }

static void families(void)
{
	static const int lengths[] = {2, 3, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 27, 28, 32, 48, 64, 88, 110, 128};

	for (int family = 0; family < 50; family++) {
		for (int form = 0; form < 3; form++) {
			for (int i = 0; i < sizeof b; i++)
				b[i] = form == 0 ? 0 : form == 1 ? 1 + i : 0xff;
			b[0] = family;
			b[1] = 0;
			for (int i = 0; i < sizeof lengths / sizeof *lengths; i++)
				bind_to(lengths[i]);
		}
	}
}

static void unix_and_inet6(void)
{
	for (int n = -1; n < 130; n++) {
		for (int form = 0; form < 3; form++) {
			memset(b, 'x', sizeof b);
			put(0, 1);
			if (form)
				b[form == 1 ? 2 : 5] = 0; /* abstract; ended */
			bind_to(n);
		}
	}
	bind_to(0x80000000);
	syscall(SYS_bind, -1, 0, 16);
	syscall(SYS_bind, -1, 16, 16);
	for (int n = 20; n < 30; n++) {
		for (int form = 0; form < 6; form++) {
			static const unsigned net[] = {0, 0x01fe, 0x02ff, 0x01ff, 0x12ff, 0x0120};

			start(10);
			put(8, net[form]);
			b[23] = 1;
			put(24, form % 3 << 8 | 77);
			bind_to(n);
		}
	}
}

static void bluetooth(void)
{
	for (int n = 2; n < 16; n++) {
		for (int form = 0; form < 3; form++) {
			memset(b, form == 0 ? 0 : form == 1 ? 'A' : 0xff, sizeof b);
			put(0, 31);
			bind_to(n);
		}
	}
	for (int psm = 0; psm < 0x10000; psm++) {
		/* round the numbers that have names, and where ranges begin and end */
		if (psm > 0x48 && (psm + 8 & 0xff) > 16 && psm != 0x1001 && (psm & 0xff78) != 0x78)
			continue;
		start(31);
		put(2, psm);
		put(10, psm);
		bind_to(14);
	}
}

static void packet(void)
{
	for (int hatype = 0; hatype < 1100; hatype++) {
		start(17);
		b[2] = 8;
		put(8, hatype);
		b[10] = hatype;
		b[11] = hatype % 12;
		for (int i = 12; i < 30; i++)
			b[i] = i * hatype;
		bind_to(20);
		if (hatype < 12)
			bind_to(19), bind_to(22), bind_to(28);
	}
}

static void radio(void)
{
	for (int i = 0; i < 30; i++) { /* AX.25 */
		static const char *calls[] = {"", "\x8e\x92\x88\x8a\x9a@`", "\x82\x84@@@@", "\x82\x84@\x82@@\x02", "*T\x54\x54"};

		start(3);
		strcpy(b + 2, calls[i % 5]);
		b[12] = i / 5;
		for (int j = 16; j < 100; j++)
			b[j] = 2 * j;
		for (int n = 14; n < 100; n += 7)
			bind_to(n);
	}
	for (int i = 0; i < 256; i++) { /* TIPC, NFC */
		start(30);
		b[2] = b[3] = i;
		bind_to(16);
		start(39);
		b[12] = b[16] = b[88] = i;
		b[17] = 255 - i;
		memset(b + 18, 'a' + i % 26, 63);
		bind_to(i % 2 ? 96 : 128);
	}
	for (int i = 0; i < 22; i++) { /* IEEE 802.15.4 */
		start(36);
		b[4] = i < 6 ? i : 2;
		put(8, 0xffea + i);
		put(10, 0xffea + i);
		bind_to(20);
	}
	for (int i = 0; i < 36; i++) { /* RxRPC */
		static const int lengths[] = {0, 1, 16, 28}, nets[] = {2, 10, 1, 99}, services[] = {1, 2500, 2501, 2502, 2503};

		start(33);
		put(2, services[i % 5]);
		b[4] = i / 4;
		b[6] = lengths[i % 4];
		b[8] = nets[i / 4 % 4];
		strcpy(b + 10, "hello");
		bind_to(36), bind_to(40);
	}
	for (int i = 0; i < 32; i++) { /* XDP */
		start(44);
		b[2] = b[12] = i;
		bind_to(16);
	}
}

int main(void)
{
	families();
	unix_and_inet6();
	bluetooth();
	packet();
	radio();
	return 0;
}
