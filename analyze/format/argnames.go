package format

import (
	"bytes"
	"strconv"
	"strings"
	"sync"

	"sysreel/proto/syscalls"
)

// argName writes the name of the argument that is written as number n, and an
// equals sign.
func (p *printer) argName(n int) {
	if name := p.nameOfArg(n); name != "" {
		p.s(name)
	} else {
		p.s("arg")
		p.b = strconv.AppendInt(p.b, int64(n)+1, 10)
	}
	p.c('=')
}

// beforeName returns where the name of an argument begins that ends at a place; the
// place itself if none does.
func (p *printer) beforeName(end int) int {
	begin := p.name
	for _, comma := range p.commas {
		if comma+len(", ") > end {
			break
		}
		begin = comma + len(", ")
	}
	if begin < end && bytes.IndexByte(p.b[begin:end], '=') == end-begin-1 {
		return begin
	}
	return end
}

// nameOfArg returns the name of an argument: strace's where that is another than
// the table's; "" if it has none.
func (p *printer) nameOfArg(n int) string {
	if p.d == nil || p.nameless {
		return ""
	}
	for i := range p.d.Args {
		a := &p.d.Args[i]
		if !a.If.Holds(&p.e.Args) {
			continue
		}
		if n == 0 {
			return p.straceName(a)
		}
		n--
	}
	return ""
}

// straceName returns the name that strace has for an argument: by the call's
// variant, by its operation, if that stands before, or by the call.
func (p *printer) straceName(a *syscalls.Arg) string {
	names := argNames()
	if p.d.Variant != "" {
		if name := names[argKey{p.d.Name + "$" + p.d.Variant, a.Name}]; name != "" {
			return name
		}
	}
	if op := operation(p.d); op >= 0 && op < len(p.commas) {
		text := p.b[p.name:p.commas[0]]
		if op > 0 {
			text = p.b[p.commas[op-1]+len(", ") : p.commas[op]]
		}
		_, text, _ = bytes.Cut(text, []byte("="))
		text, _, _ = bytes.Cut(text, []byte(" "))
		if name := names[argKey{string(text), a.Name}]; name != "" {
			return name
		}
	}
	if name := names[argKey{p.d.Name, a.Name}]; name != "" {
		return name
	}
	return a.Name
}

// operation returns which argument tells what a call does, −1 if none.
func operation(d *syscalls.Desc) int {
	switch d.Name {
	case "prctl", "keyctl", "ptrace":
		return 0
	case "ioctl":
		return 1
	}
	return -1
}

// argKey is an argument of a call, or of an operation of one.
type argKey struct{ call, arg string }

// argNames are the names that strace has for arguments and the table has not.
var argNames = sync.OnceValue(func() map[argKey]string {
	m := make(map[argKey]string)
	for line := range strings.Lines(straceArgNames) {
		calls, names, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for call := range strings.FieldsSeq(calls) {
			for pair := range strings.FieldsSeq(names) {
				arg, name, _ := strings.Cut(pair, "=")
				m[argKey{call, arg}] = name
			}
		}
	}
	return m
})

// straceArgNames are the names that strace 7.2 has. In front of the colon are
// calls, variants of the table's, and operations.
const straceArgNames = `acct: filename=path
afs_syscall epoll_ctl_old epoll_wait_old security tuxcall vserver: a1=arg1 a2=arg2 a3=arg3 a4=arg4 a5=arg5
arch_prctl: option=op
chdir chroot rmdir swapoff swapon truncate unlink: pathname=path
clock_getres: res=tp
create_module: name=arg1 size=arg2
fcntl fcntl64: cmd=op events=arg hint=arg lock=arg other=arg owner=arg seals=arg sig=arg size=arg type=arg uids=arg
file_getattr file_setattr getxattrat listxattrat removexattrat setxattrat: at_flags=flags
flock: operation=op
fsmount: fsfd=fd
futex futex_time64: op=futex_op
get_kernel_syms: table=arg1
getpmsg putpmsg: fd=arg1 ctlptr=arg2 dataptr=arg3 band=arg4 bandp=arg4 flags=arg5 flagsp=arg5
getresgid setresgid: rgid=ruid egid=euid sgid=suid
io_uring_enter: sig=sigset
io_uring_enter$EXT_ARG io_uring_enter$EXT_ARG_REG: sig=arg sigsetsize=argsz
kill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo tgkill tkill: sig=signum
rt_sigqueueinfo: pid=tgid
rt_sigreturn: frame=sigmask
map_shadow_stack: size=len
mlock mlock2 mprotect mseal munlock pkey_mprotect: len=length
move_mount: from_dirfd=from_dfd to_dirfd=to_dfd
mq_open: oflag=flags
mq_unlink: name=path
msgctl shmctl semctl quotactl quotactl_fd: cmd=op val=arg
nfsservctl: cmd=arg1 argp=arg2 resp=arg3
pivot_root: new_root=oldpath put_old=newpath
process_madvise: iov=iovec vlen=n
pselect6: sigmask=sig
query_module: name=arg1 which=arg2 buf=arg3 bufsize=arg4 ret=arg5
reboot: magic1=magic cmd=op
rt_sigsuspend: mask=set
seccomp: op=operation
set_robust_list: head=addr len=length
setfsgid: fsgid=fsuid
setgid: gid=uid
setregid: rgid=ruid egid=euid
symlink: target=oldpath linkpath=newpath
sysfs: option=arg1 arg1=arg2 arg2=arg3
uselib: library=path
utimes: filename=pathname
wait4: wstatus=status rusage=usage
waitid: infop=siginfo rusage=usage
ptrace: request=op args=addr index=addr size=addr type=addr sig=data
prctl: option=op
PR_GET_PDEATHSIG PR_SET_PDEATHSIG: arg2=sig
PR_SET_DUMPABLE: arg2=dumpable
PR_GET_NAME PR_SET_NAME: arg2=name
PR_GET_UNALIGN PR_SET_UNALIGN PR_SET_SECUREBITS: arg2=flags
PR_GET_TSC PR_SET_TSC PR_SET_THP_DISABLE: arg2=flag
PR_GET_FPEXC PR_SET_FP_MODE PR_SET_FPEXC PR_SET_TIMING PR_SET_TAGGED_ADDR_CTRL: arg2=mode
PR_GET_FPEMU PR_SET_FPEMU: arg2=fpemu
PR_GET_ENDIAN PR_SET_ENDIAN: arg2=endianness
PR_GET_CHILD_SUBREAPER: arg2=isset
PR_SET_CHILD_SUBREAPER PR_SET_NO_NEW_PRIVS: arg2=set
PR_SET_KEEPCAPS PR_SET_IO_FLUSHER: arg2=state
PR_SET_TIMERSLACK: arg2=slack
PR_SET_MDWE: arg2=mask
PR_SET_PTRACER: arg2=pid
prctl$SECCOMP_FILTER: arg2=mode arg3=filter
PR_SET_SECCOMP: arg2=mode
prctl$MCE_KILL: arg3=policy
prctl$CAP_AMBIENT: arg2=operation arg3=caps
PR_CAPBSET_READ PR_CAPBSET_DROP: arg2=cap
PR_CAP_AMBIENT PR_MCE_KILL PR_SET_MM: arg2=operation
PR_SET_VMA: arg2=attr arg3=addr arg4=size arg5=name
PR_SCHED_CORE: arg2=operation arg3=pid arg4=pid_type arg5=cookie
PR_SET_SYSCALL_USER_DISPATCH: arg2=operation arg3=off arg4=size arg5=switch
PR_GET_SPECULATION_CTRL PR_SET_SPECULATION_CTRL: arg2=misfeature arg3=value
PR_GET_TID_ADDRESS: arg2=addr
PR_PAC_RESET_KEYS: arg2=keys
PR_PPC_GET_DEXCR PR_PPC_SET_DEXCR: arg2=which
PR_PPC_SET_DEXCR: arg3=ctrl
PR_RISCV_SET_ICACHE_FLUSH_CTX: arg2=ctx arg3=scope
PR_RISCV_V_SET_CONTROL PR_SME_SET_VL: arg2=arg
PR_SVE_SET_VL: arg2=value
PR_PAC_SET_ENABLED_KEYS: arg2=bitmask_affected arg3=bitmask_set
keyctl: id=key ringid=keyring perm=perms
KEYCTL_SEARCH: ringid=keyring destringid=dest_keyring
KEYCTL_INSTANTIATE_IOV: iov=payload ioc=plen
KEYCTL_DH_COMPUTE: params=dh_params kdf=kdf_params
KEYCTL_PKEY_QUERY: info=params res=info
KEYCTL_MOVE: from_ringid=from_keyring to_ringid=to_keyring
KEYCTL_RESTRICT_KEYRING: id=keyring
KEYCTL_WATCH_KEY: id=arg2 watch_queue_fd=arg3 watch_id=arg4
ioctl: request=op arg=argp
BTRFS_IOC_CLONE FICLONE: arg=src_fd
FS_IOC32_GETFLAGS FS_IOC32_SETFLAGS FS_IOC_GETFLAGS FS_IOC_SETFLAGS: arg=attr
FS_IOC_GETFSLABEL FS_IOC_SETFSLABEL: arg=label
GPIOHANDLE_GET_LINE_VALUES_IOCTL GPIOHANDLE_SET_LINE_VALUES_IOCTL GPIO_V2_LINE_GET_VALUES_IOCTL GPIO_V2_LINE_SET_VALUES_IOCTL: arg=values
GPIOHANDLE_SET_CONFIG_IOCTL GPIO_V2_LINE_SET_CONFIG_IOCTL: arg=config
GPIO_GET_CHIPINFO_IOCTL GPIO_GET_LINEINFO_IOCTL GPIO_GET_LINEINFO_WATCH_IOCTL GPIO_V2_GET_LINEINFO_IOCTL GPIO_V2_GET_LINEINFO_WATCH_IOCTL: arg=info
GPIO_GET_LINEEVENT_IOCTL GPIO_GET_LINEHANDLE_IOCTL GPIO_V2_GET_LINE_IOCTL: arg=request
GPIO_GET_LINEINFO_UNWATCH_IOCTL: arg=offset
HDIO_GET_IDENTITY HDIO_OBSOLETE_IDENTITY: arg=identity
HDIO_GET_KEEPSETTINGS HDIO_SET_KEEPSETTINGS: arg=keep_settings
HDIO_GET_MULTCOUNT HDIO_SET_MULTCOUNT: arg=multcount
HDIO_GET_UNMASKINTR HDIO_SET_UNMASKINTR: arg=unmaskintr
NS_GET_OWNER_UID: arg=uid
TIOCPKT: arg=mode
TIOCSPTLCK: arg=lock
BTRFS_IOC_CLONE_RANGE BTRFS_IOC_FILE_EXTENT_SAME FS_IOC_FSGETXATTR FS_IOC_FSSETXATTR HDIO_DRIVE_RESET: arg=arg
HDIO_GET_32BIT HDIO_GET_ACOUSTIC HDIO_GET_ADDRESS HDIO_GET_BUSSTATE HDIO_GET_DMA HDIO_GET_NOWERR HDIO_GET_WCACHE: arg=arg
HDIO_SCAN_HWIF HDIO_SET_32BIT HDIO_SET_ACOUSTIC HDIO_SET_ADDRESS HDIO_SET_BUSSTATE HDIO_SET_DMA HDIO_SET_NOWERR: arg=arg
HDIO_SET_PIO_MODE HDIO_SET_WCACHE HDIO_UNREGISTER_HWIF TCFLSH TCSBRK TCSBRKP TCXONC TIOCSCTTY: arg=arg
`
