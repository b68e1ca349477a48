package main

// straceHelp is what -h writes.
const straceHelp = `Usage: sysreel strace [OPTIONS] PROG [ARGS]
   or: sysreel strace [OPTIONS] -p PID
   or: strace ...        where sysreel is installed under that name

Prints the system calls and signals of a command, or of processes that run,
while they happen. Options, text and exit status are strace's. SET is a list
with commas; "all", "none"; a "!" in front turns it around.

What to trace:
  PROG [ARGS]                     run a command
  -p PIDS, --attach=PIDS          attach to processes: -p 1,2 -p "$(pidof nginx)"; with PROG, run it too
  -D, -DD, -DDD, --daemonize[=grandchild|pgroup|session]
                                  be no parent of the command, which takes this process's place;
                                  -DD in a process group, -DDD in a session of its own
  -f, --follow-forks              threads and children too
  -E VAR[=VALUE], --env=...       set a variable of the command's environment, or take it away
  -u USER, --user=USER            run the command as a user, or as UID:GID
  --argv0=NAME                    run the command under a name
  -b execve, --detach-on=execve   let go of what executes another program
  -I N, --interruptible=N         1 anywhere, 2 waiting: interrupts end the trace;
                                  3 never: they are for the command alone; 4 never_tstp: ^Z too
  --seccomp-bpf                   with -f and -e: the kernel passes by calls that are not traced
  --kill-on-exit                  end what is traced when this ends
  --syscall-limit=N               let go after N calls
  -e inject=SET[:error=ERRNO|:retval=N][:signal=SIG][:syscall=CALL][:delay_enter=TIME]
     [:delay_exit=TIME][:poke_enter=@argN=HEX][:poke_exit=@argN=HEX][:when=FIRST[..LAST][+[STEP]]]
  -e fault=SET[:error=ERRNO][:when=...]
                                  make calls fail, or tamper with them otherwise

Which of it to print:
  [-e] trace=SET, --trace=SET     calls: names, numbers, %CLASS, /REGEX, ?NAME, NAME@64 NAME@32
                                  classes: %file %desc %network %process %signal %ipc %memory %creds
                                  %clock %pure %stat %lstat %fstat %%stat %statfs %fstatfs %%statfs
  -e signal=SET, --signal=SET     signals
  -e status=SET, --status=SET     by result: successful failed unfinished unavailable detached
  -z, --successful-only; -Z, --failed-only
  -P PATH, --trace-path=PATH      calls on a file
  -e trace-fds=SET, --trace-fds=SET
                                  calls on descriptors; with -P, on either
  -q, -qq, -qqq, --quiet[=SET]    leave out messages: attach personality exit path-resolution thread-execve

How to print it:
  -o FILE, --output=FILE          to a file; -o '|COMMAND' to a command
  -ff, --output-separately        to FILE.PID, each thread's own
  -A, --output-append-mode        behind what FILE has
  -s N, --string-limit=N          at most N bytes of a string (32)
  -a N, --columns=N               results in column N (40)
  -v, --no-abbrev; -e abbrev=SET  structures and environments whole, of these calls not
  -e verbose=SET                  of which calls to show what arguments point to
  -e raw=SET                      of which calls to show the registers only
  -e read=SET, -e write=SET       dump what is read from, written to these descriptors
  -x, -xx, --strings-in-hex[=all|non-ascii|non-ascii-chars|none]
  -X raw|abbrev|verbose, --const-print-style=...
                                  constants as numbers, names or both
  -y, -yy, --decode-fds[=SET]     what descriptors stand for: path dev socket pidfd
                                  eventfd signalfd
  -Y, --decode-pids=comm          names of processes
  --decode-pids=pidns             what those of another PID namespace are called in strace's
  --secontext[=SET], -e secontext=SET
                                  SELinux contexts of threads, descriptors and files: their types;
                                  full: all of them; mismatch: what the policy has, where it is another
  -e namespace=new, --namespace=new
                                  numbers of the namespaces that calls enter
  -e kvm=vcpu[+], --kvm=vcpu[+]   why virtual CPUs of KVM came back; with + their kvm_run, before and after
  --always-show-pid               begin lines with the PID
  --color=auto|always|never       colours: auto on a terminal, unless NO_COLOR is set;
                                  STRACE_COLORS changes them
  -n, --syscall-number            numbers of calls
  -N, --arg-names                 names of arguments
  -i, --instruction-pointer       where in the program calls are made
  -k, --stack-trace               and from where; --stack-trace-frame-limit=N
  -kk, --stack-trace=source       with the places in the source
  -t, -tt, -ttt, --absolute-timestamps[=[format:]none|time|unix][,][[precision:]s|ms|us|ns]
  -r, --relative-timestamps[=s|ms|us|ns]
                                  time since the line before
  -T, --syscall-times[=s|ms|us|ns]
                                  time spent in calls

Statistics:
  -c, --summary-only; -C, --summary
                                  a table of calls, errors and times; -C and the text
  -w, --summary-wall-clock        time from begin to end, not on the CPU
  -S WORD, --summary-sort-by=...  time min-time max-time avg-time calls errors name nothing,
                                  wall-total wall-min wall-max wall-avg
  -U LIST, --summary-columns=...  columns: time-percent total-time min-time max-time avg-time calls errors name,
                                  wall-total wall-min wall-max wall-avg
  -O TIME, --summary-syscall-overhead=TIME
                                  taken off each call: 10, 2ms, 500ns

Not strace's:
  --record=FILE                   keep the recording too, for sysreel replay, summary, hist and diff
  --redact=RULES                  blank secrets in text and recording (off; see sysreel record --help)

  -h, --help; -V, --version; --tips[=[id:]N|random|none]

Exit status: the command's; what a signal ended ends this with the same signal.
1 where this itself failed.
`
