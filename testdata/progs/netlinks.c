/* Netlink messages of every protocol and type, and every attribute, alone and
 * within others: as they should be, too short, too long, and of no meaning. The
 * kernel gets to see none of them. With an argument there are half as
 * many more, of values that others have too. */
#include "pretend.h"
#include <linux/netlink.h>
#include <sys/socket.h>

static int fd, more;
static unsigned char *end; /* of memory that can be read */

static void put(int off, unsigned v, int size) { memcpy(end + off, &v, size); }

static void fill(int n, int form)
{
	for (int i = 0; i < n; i++)
		end[i - n] = form == 0 ? 0 : form == 1 ? 1 + i : form == 2 ? 0xff : form == 3 ? 'a' + i % 26 : form;
}

static void out(int n) { syscall(SYS_sendto, fd, end - n, n, 0, 0, FINE); }

/* message sends a message whose payload of n bytes begins with an address
 * family, unless that is negative. */
static void message(int kind, int family, int n, int form, int flags)
{
	fill(n, form);
	if (n > 0 && family >= 0)
		end[-n] = family;
	put(-n - 16, n + 16, 4);
	put(-n - 12, kind, 2);
	put(-n - 10, flags, 2);
	put(-n - 8, 7, 4);
	put(-n - 4, 8, 4);
	out(n + 16);
}

/* attribute sends a message of a body that begins with family, and one
 * attribute of len bytes within those that nest lists. */
static void attribute(int kind, int family, int body, const short *nest, int depth, int len, int form)
{
	int all = 4 * depth + len, total = body + all + 16;

	fill(len, form);
	memset(end - total, 0, total - len);
	put(body ? -total + 16 : 0, body ? family : 0, body ? 1 : 0);
	put(-total, total, 4);
	put(-total + 4, kind, 2);
	for (int i = 0; i < depth; i++) {
		put(-all, all, 2);
		put(-all + 2, nest[i], 2);
		all -= 4;
	}
	out(total);
}

/* A message is also built piece by piece. */
static unsigned char made[4096];
static int at, open_at[16], opened;

static void add(const void *p, int n)
{
	memcpy(made + at, p, n);
	at += n;
	while (at & 3)
		made[at++] = 0;
}
static void start(int kind, int flags, const void *body, int n)
{
	unsigned header[4] = {0, kind | flags << 16, 7, 8};

	at = opened = 0;
	add(header, 16);
	add(body, n);
}
static void nest(int kind)
{
	unsigned short header[2] = {0, kind};

	open_at[opened++] = at;
	add(header, 4);
}
static void close_nest(void)
{
	opened--;
	*(unsigned short *)(made + open_at[opened]) = at - open_at[opened];
}
static void attr(int kind, const void *p, int n)
{
	unsigned short header[2] = {n + 4, kind};

	add(header, 4);
	add(p, n);
}
static void attr32(int kind, unsigned v) { attr(kind, &v, 4); }
static void text(int kind, const char *s) { attr(kind, s, strlen(s) + 1); }
static void finish(void)
{
	while (opened)
		close_nest();
	*(unsigned *)made = at;
	memcpy(end - at, made, at);
	out(at);
}

enum { ROUTE = 0, DIAG = 4, XFRM = 6, SELINUX = 7, AUDIT = 9, NETFILTER = 12, UEVENT = 15, GENERIC = 16, CRYPTO = 21, PROTOCOLS = 24 };

/* attributes of a message of a protocol: its body, and how many there are. */
static const struct shape {
	short protocol, kind, family, body, attrs, nest[4];
} shapes[] = {
	{ROUTE, 16, 0, 16, 71}, {ROUTE, 16, 7, 16, 2}, {ROUTE, 16, 10, 16, 2}, {ROUTE, 20, 2, 8, 13}, {ROUTE, 20, 10, 8, 5},
	{ROUTE, 24, 2, 12, 33}, {ROUTE, 25, 10, 12, 8}, {ROUTE, 24, 28, 12, 8}, {ROUTE, 28, 2, 12, 19}, {ROUTE, 28, 10, 12, 3}, {ROUTE, 30, 7, 16, 4},
	{ROUTE, 32, 2, 12, 30}, {ROUTE, 32, 10, 12, 3}, {ROUTE, 36, 0, 20, 18}, {ROUTE, 40, 0, 20, 3}, {ROUTE, 44, 0, 20, 3}, {ROUTE, 48, 0, 4, 12},
	{ROUTE, 58, 2, 8, 7}, {ROUTE, 62, 10, 8, 7}, {ROUTE, 64, 2, 4, 11}, {ROUTE, 66, 2, 4, 2}, {ROUTE, 72, 10, 12, 4}, {ROUTE, 78, 0, 4, 22},
	{ROUTE, 80, 2, 4, 10}, {ROUTE, 84, 7, 8, 5}, {ROUTE, 88, 0, 4, 7}, {ROUTE, 92, 0, 12, 4}, {ROUTE, 96, 0, 4, 3}, {ROUTE, 100, 0, 20, 3},
	{ROUTE, 104, 2, 8, 15}, {ROUTE, 108, 0, 16, 3}, {ROUTE, 112, 7, 8, 3}, {ROUTE, 116, 0, 8, 3}, {ROUTE, 120, 0, 8, 3},
	{ROUTE, 16, 0, 16, 44, {12}}, {ROUTE, 16, 0, 16, 7, {18}}, {ROUTE, 16, 0, 16, 4, {22}}, {ROUTE, 16, 0, 16, 3, {24}}, {ROUTE, 16, 0, 16, 9, {24, 1}},
	{ROUTE, 16, 0, 16, 9, {25}}, {ROUTE, 16, 0, 16, 12, {26}}, {ROUTE, 16, 0, 16, 4, {26, 2}}, {ROUTE, 16, 0, 16, 10, {26, 10}}, {ROUTE, 16, 0, 16, 11, {43}},
	{ROUTE, 16, 0, 16, 56, {52}}, {ROUTE, 16, 0, 16, 4, {55}},
	{ROUTE, 24, 2, 12, 20, {8}}, {ROUTE, 24, 2, 12, 4, {22}}, {ROUTE, 28, 7, 12, 4, {14}}, {ROUTE, 36, 0, 20, 9, {7}}, {ROUTE, 36, 0, 20, 4, {8}},
	{ROUTE, 48, 0, 4, 9, {4}}, {ROUTE, 64, 2, 4, 20, {6}},
	{ROUTE, 84, 7, 8, 3, {1}}, {ROUTE, 84, 7, 8, 3, {1, 1}}, {ROUTE, 84, 7, 8, 3, {2}},
	{DIAG, 20, 1, 16, 9}, {DIAG, 20, 2, 72, 24}, {DIAG, 20, 10, 72, 4}, {DIAG, 20, 16, 28, 6}, {DIAG, 20, 17, 16, 9}, {DIAG, 20, 43, 72, 7},
	{DIAG, 18, 2, 72, 3}, {DIAG, 20, 2, 72, 5, {19}}, {DIAG, 20, 2, 72, 7, {19, 2}}, {DIAG, 20, 2, 72, 13, {19, 3}},
	{GENERIC, 16, 3, 4, 12}, {GENERIC, 16, 3, 4, 3, {6, 1}}, {GENERIC, 16, 3, 4, 4, {6, 1, 2}}, {GENERIC, 16, 3, 4, 4, {7, 1}},
	{GENERIC, 16, 3, 4, 3, {8}}, {GENERIC, 16, 3, 4, 14, {8, 0, 1}}, {GENERIC, 16, 3, 4, 4, {9, 3}}, {GENERIC, 0x7f00, 3, 4, 3},
	{NETFILTER, 0xa00, 2, 4, 3}, {NETFILTER, 0x100, 2, 4, 3}, {NETFILTER, 16, 2, 4, 2}, {NETFILTER, 0xf00, 2, 4, 2},
	{XFRM, 16, 2, 4, 2}, {SELINUX, 16, 2, 4, 2}, {AUDIT, 1000, 2, 4, 2}, {CRYPTO, 16, 'a', 216, 24}, {CRYPTO, 19, 'a', 216, 2},
};
static const short lengths[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 28, 32, 33, 36, 40, 44, 48, 64, 72, 92, 96, 100, 184, 192, 200, 280};

static const struct { short protocol, from, to; } kinds[] = {
	{ROUTE, 0, 126}, {DIAG, 16, 23}, {XFRM, 15, 43}, {SELINUX, 15, 19}, {AUDIT, 1000, 1020}, {AUDIT, 1099, 1130}, {AUDIT, 1199, 1206},
	{AUDIT, 1299, 1345}, {AUDIT, 1399, 1430}, {AUDIT, 1699, 1706}, {AUDIT, 1798, 1812}, {AUDIT, 1998, 2002}, {AUDIT, 2098, 2102}, {AUDIT, 2998, 3000},
	{NETFILTER, 0x10, 0x13}, {NETFILTER, 0x100, 0x10a}, {NETFILTER, 0x200, 0x206}, {NETFILTER, 0x300, 0x306}, {NETFILTER, 0x400, 0x404},
	{NETFILTER, 0x500, 0x504}, {NETFILTER, 0x600, 0x618}, {NETFILTER, 0x700, 0x707}, {NETFILTER, 0x800, 0x807}, {NETFILTER, 0x900, 0x905},
	{NETFILTER, 0xa00, 0xa28}, {NETFILTER, 0xb00, 0xb03}, {NETFILTER, 0xc00, 0xc03}, {NETFILTER, 0xd00, 0xd02}, {NETFILTER, 0xff00, 0xff02},
	{GENERIC, 15, 17}, {GENERIC, 0x7f00, 0x7f03}, {CRYPTO, 15, 23},
	{1, 15, 18}, {2, 15, 18}, {3, 15, 18}, {5, 15, 18}, {8, 15, 18}, {10, 15, 18}, {11, 15, 18}, {14, 15, 18}, {18, 15, 18}, {20, 15, 18}, {19, 15, 18},
};

static int sockets[PROTOCOLS];

/* links sends messages about links of several kinds. */
static void links(int form)
{
	static const char *const types[] = {"bridge", "tun", "can", "vxlan", "bridg", "bridge2", ""};
	static const unsigned char mac[] = {2, 0, 0, 0, 0, 7};

	for (int i = 0; i < 7; i++) {
		for (int data = 1; data <= 5; data++) {
			for (int kind = 0; kind < 50; kind += form ? 1 : 7) {
				static const short sizes[] = {1, 2, 4, 8, 6, 24, 3};
				int n = sizes[(kind + data + form) % 7];

				if (i > 2 && kind > 4)
					break;
				start(16, 0x605, (int[4]){form ? 0 : 7}, 16);
				nest(18);
				if (form)
					text(1, types[i]);
				else
					attr(1, types[i], strlen(types[i]));
				nest(data);
				if (i == 2)
					attr32(1, 2), attr32(3, 4);
				attr(kind, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24\25\26\27\30\31", n);
				if (kind % 3 == 0)
					attr(kind, mac, 6);
				finish();
			}
		}
	}
}

static void several(void)
{
	unsigned char *m;
	int n;

	for (int i = 0; i < 40; i++) { /* lengths that lie, of three messages */
		for (int j = 0; j < 3; j++) {
			n = 16 * 3 + 24;
			m = end - n;
			memset(m, 0, n);
			put(-n, 16 + (j == 0 ? i : 0), 4);
			put(-n + 4, 18, 2);
			put(-n + 16, 24 + (j == 1 ? i - 20 : 0), 4);
			put(-n + 20, i % 2 ? 3 : 2, 2);
			put(-n + 40, 16 + (j == 2 ? i - 10 : 0), 4);
			put(-n + 44, i % 3 ? 18 : 3, 2);
			put(-n + 56, 20, 4);
			put(-n + 60, 3, 2);
			out(n);
		}
	}
	for (int many = 30; many < 36; many++) { /* more than are shown */
		n = 16 * many;
		memset(end - n, 0, n);
		for (int i = 0; i < many; i++)
			put(-n + 16 * i, 16, 4), put(-n + 16 * i + 4, 3, 2);
		out(n);
	}
	for (int many = 30; many < 36; many++) { /* attributes */
		start(16, 1, (int[4]){0}, 16);
		for (int i = 0; i < many; i++)
			attr32(4, i);
		finish();
	}
	for (int len = 0; len < 12; len++) { /* attributes whose lengths lie */
		for (int where = 0; where < 3; where++) {
			start(16, 1, (int[4]){0}, 16);
			for (int i = 0; i < 3; i++) {
				attr32(4, 1 + i);
				if (i == where)
					*(unsigned short *)(made + at - 8) = len * (len > 8 ? 40 : 1);
			}
			finish();
		}
	}
	for (int kind = 0; kind < 0x10000; kind += 0x1001) { /* nested, in network order, and neither */
		start(16, 1, (int[4]){0}, 16);
		attr32(kind, 5);
		attr32(kind & 0xf000 | 18, 5);
		finish();
	}
}

static void errors(int i, int kind)
{
	int many = more || i == ROUTE;

	for (int code = -140; code < 4; code += code < -4 ? many ? 17 : 135 : many ? 1 : 4) {
		for (int flags = 0; flags < 0x400; flags += 0x100) {
			for (int inner = 16; inner < 30; inner += many && i % 4 == 0 ? 4 : 8) {
				start(2, flags, &code, 4);
				unsigned m[] = {inner, kind | 5 << 16, 1, 2};
				add(m, 16);
				add("\2\0\0\0\5\6\7\10\11\12", inner - 16);
				text(1, "no such thing");
				attr32(2, 36);
				attr(3, "abc", 3);
				attr32(4, 3);
				attr32(5, 3);
				attr32(6, 4);
				attr32(7, 4);
				finish();
			}
		}
	}
	for (int n = 0; n < 36; n += many || n == 3 ? 1 : 3)
		message(2, -1, n, 1, 0), message(2, -1, n, 0, 0x100), message(3, -1, n, 2, 2), message(3, -1, n, 1, 2), message(1, -1, n, 1, 0);
}

int main(int argc, char **argv)
{
	struct sockaddr_nl self = {AF_NETLINK};

	more = argc > 1;
	end = (unsigned char *)room(8192) + 8192;
	for (int i = 0; i < PROTOCOLS; i++) {
		sockets[i] = socket(AF_NETLINK, SOCK_RAW, i);
		if (sockets[i] >= 0) /* strace finds bound ones only */
			bind(sockets[i], (void *)&self, sizeof self);
	}
	pretend();

	for (int k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		fd = sockets[kinds[k].protocol];
		if (fd < 0)
			continue;
		for (int kind = kinds[k].from; kind < kinds[k].to; kind++) {
			static const short families[] = {2, 0, 10, 7, 17, 16, 1, 28, 43, 77};
			int many = more || kinds[k].protocol == ROUTE || kind == kinds[k].from + 1;

			for (int n = 0; n <= 24; n += n == 6 || many && n > 6 ? 6 : many ? 1 : n ? 4 : 2)
				message(kind, n % 3, n, 3, 0x301);
			for (int i = 0; i < 10; i += many ? 1 : 4)
				message(kind, families[i], 12 + 4 * i, 1, i * 0x123);
			message(kind, 2, 12, 2, 0xffff);
			message(kind, 2, 20, 0, 0);
		}
	}
	fd = sockets[DIAG];
	for (int kind = 18; kind < 22; kind++)
		for (int family = 0; family < 46; family += family < 3 || family > 14 && family < 18 || family > 40 ? 1 : 4)
			for (int flags = 0; flags < 4; flags++)
				for (int n = 1; n < 120; n += n < 4 ? 3 : flags < 2 ? 24 : 68)
					message(kind, family, n, flags % 2 ? 1 : 2, flags);
	for (int i = 0; i < 8; i++) /* of one value each: states, types, protocols */
		for (int value = 4; value < 20; value++)
			for (int flags = 0; flags < 2; flags++)
				message(20, (const short[]){1, 2, 10, 16, 17, 40, 43, 44}[i], 80, value < 19 ? value : 0xff, flags);
	for (int s = 0; s < sizeof shapes / sizeof *shapes; s++) {
		const struct shape *p = &shapes[s];
		short nested[5];
		int depth = 0;

		fd = sockets[p->protocol];
		if (fd < 0)
			continue;
		for (; depth < 4 && (p->nest[depth] || depth < 3 && p->nest[depth + 1]); depth++)
			nested[depth] = p->nest[depth];
		for (int a = 0; a <= p->attrs; a++) {
			nested[depth] = a;
			for (int l = 0; l < sizeof lengths / sizeof *lengths; l++)
				for (int form = 0; form < 4; form++)
					if (p->kind / 4 == 6 && !depth && a == 9 && form == 0)
						continue; /* strace does not end at a length of 0 */
					else if ((form + l + a) % (lengths[l] < 5 ? 4 : more || lengths[l] < 9 ? 8 : 16) == 0 || lengths[l] % (more ? 24 : 96) == 0 && form == 1)
						attribute(p->kind, p->family, p->body, nested, depth + 1, lengths[l], form);
		}
	}
	fd = sockets[ROUTE];
	links(0);
	links(1);
	several();
	for (int i = 0; i < PROTOCOLS; i++) {
		fd = sockets[i];
		if (fd >= 0)
			errors(i, i == NETFILTER ? 0xa00 : 16);
	}
	return 0;
}
