/* An interactive program that has handlers for the terminal's signals: it puts
 * something in order before it stops for SIGTSTP, and ends at the third SIGINT. */
#include <signal.h>
#include <unistd.h>

/* say prints a line, with its number at the end. */
static void say(const char *s, int n)
{
	char line[40], *p = line;
	for (*p++ = '\r', *p++ = '\n'; *s;)
		*p++ = *s++;
	*p++ = '0' + n;
	*p++ = '\r', *p++ = '\n';
	write(1, line, p - line);
}

static void suspend(int sig)
{
	static int n;
	say("tidied up ", ++n);
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	sigset_t tstp;
	sigemptyset(&tstp);
	sigaddset(&tstp, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &tstp, NULL); /* stops here */
	signal(SIGTSTP, suspend);
	say("back again ", n);
}

static void interrupt(int sig)
{
	static int n;
	say("interrupt ", ++n);
	if (n == 3)
		_exit(3);
}

int main(void)
{
	signal(SIGTSTP, suspend);
	signal(SIGINT, interrupt);
	say("started ", 0);
	for (;;)
		pause();
}
