/* Sockets of the UNIX domain, in the working directory, looked at before and after
 * their connections have been accepted. */
#include "prog.h"
#include <sys/socket.h>
#include <sys/un.h>

static void look(int fd)
{
	char byte;

	CHECK(recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0);
}

static struct sockaddr_un named(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	unlink(name);
	strcpy(at.sun_path, name);
	return at;
}

static void connection(int type, int bound)
{
	struct sockaddr_un at = named("listens"), own = named("connects");
	int l = socket(AF_UNIX, type, 0), c = socket(AF_UNIX, type, 0), s;

	CHECK(bind(l, (void *)&at, sizeof at) == 0);
	if (bound)
		CHECK(bind(c, (void *)&own, sizeof own) == 0);
	CHECK(listen(l, 1) == 0);
	look(c);
	CHECK(connect(c, (void *)&at, sizeof at) == 0);
	look(c);
	CHECK(send(c, "x", 1, 0) == 1);
	look(c);
	s = accept(l, NULL, NULL);
	CHECK(s >= 0);
	look(c);
	CHECK(send(s, "y", 1, 0) == 1);
	close(s);
	close(c);
	close(l);
}

int main(void)
{
	connection(SOCK_STREAM, 0);
	connection(SOCK_STREAM, 1);
	connection(SOCK_SEQPACKET, 0);
	return ok();
}
