package format

import (
	"sysreel/proto/syscalls"
)

// specials decode the types that the table only names (Kind Special).
var specials map[string]special

// scalarSpecials are those that stand for one number, so that strace puts
// brackets around them behind a pointer.
var scalarSpecials = map[string]bool{
	"wait_status": true, "st_mode": true, "kdev": true, "kdev64": true, "ksigval": true,
}

// structs are structures and unions whose text depends on more than their
// fields. A function that returns false has written nothing.
var structs map[string]func(p *printer, t *syscalls.Type, v view) bool

// changes are structures of which what they were before the call and after it
// is written differently. out has no data if the call did not change it. A
// function that returns false has written nothing.
var changes map[string]func(p *printer, t *syscalls.Type, in, out view) bool

// sets are sets of constants with values beside the named ones.
var sets map[string]func(p *printer, c *syscalls.Consts, v uint64)

// irregular are calls whose text the table cannot give. A function that
// returns false has written nothing.
var irregular map[string]func(p *printer) bool

func init() {
	specials = map[string]special{
		"wait_status":    func(p *printer, _ *syscalls.Type, v view) { p.waitStatus(uint32(load(v.data, 0, 4))) },
		"st_mode":        func(p *printer, _ *syscalls.Type, v view) { p.fileMode(load(v.data, 0, min(4, len(v.data)))) },
		"kdev":           func(p *printer, _ *syscalls.Type, v view) { p.dev(load(v.data, 0, 4)) },
		"kdev64":         func(p *printer, _ *syscalls.Type, v view) { p.dev(load(v.data, 0, 8)) },
		"sigset":         sigset,
		"sigset8":        sigset,
		"siginfo":        siginfo,
		"ksigval":        ksigval,
		"sockaddr":       sockaddr,
		"cmsg":           cmsgs,
		"dirents64":      dirents64,
		"dirents":        dirents,
		"fdset":          fdset,
		"cpuset":         cpuset,
		"netlink":        netlink,
		"hw_bytes":       func(p *printer, _ *syscalls.Type, v view) { p.hardware(v, maxHardware) },
		"mcast_count":    func(p *printer, t *syscalls.Type, v view) { p.indexed(t, v) },
		"utimespec":      utimespec,
		"utimespec64":    utimespec,
		"ipc_key":        ipcKey,
		"ioprio":         ioprio,
		"quota_cmd":      quotaCmd,
		"nodemask":       nodemask,
		"msgbuf_data":    msgbuf,
		"futex_wake_op":  futexWakeOp,
		"prctl_ptracer":  ptracer,
		"ether_addr":     ether,
		"hw_addr":        hardwareAddr,
		"ev_keycode":     keycode,
		"kd_key_table":   keyTable,
		"kd_key_func":    keyFunc,
		"kd_keysym":      keysym,
		"unicode_char":   unicodeChar,
		"v4l2_fourcc":    fourcc,
		"v4l2_cid":       controlID,
		"uuid":           uuid,
		"btrfs_items":    btrfsItems,
		"sockopt":        socketOption,
		"sockint":        socketNumber,
		"port_range":     portRange,
		"tcp_ao_key":     tcpAOKey,
		"packet_address": packetAddress,
		"kd_sound":       consoleSound,
		"kd_tone":        consoleTone,
		"pgoff":          pageOffset,
		"cap_bits":       capBits,
		"bpf_attr":       func(p *printer, _ *syscalls.Type, v view) { p.lost(v) }, // of a command that there is not
		"key_text":       keyText,
		"key_caps":       keyCapabilities,
		"lsm_ctx":        rawBytes,
		"old_dirent":     oldDirent,
		"term_cc":        termCC,
		"user_offset":    userOffset,
		"in_addr":        func(p *printer, _ *syscalls.Type, v view) { p.inet(v, 4) },
		"in6_addr":       func(p *printer, _ *syscalls.Type, v view) { p.inet(v, 16) },
		"sighandler":     sighandler,
		"rlim":           rlim,
		"rlim64":         rlim64,
		"sigset4":        sigset,
		"old_sigset":     sigset,
		"cap_data":       capData,
	}
	structs = map[string]func(p *printer, t *syscalls.Type, v view) bool{
		"epoll_data":                epollData,
		"btrfs_subvol_flags":        bare,
		"btrfs_supported_features":  btrfsFeatures,
		"kvm_cpuid2":                cpuid,
		"v4l2_fract":                fraction,
		"sock_fprog":                sockFprog,
		"icmp_filter":               icmpFilter,
		"sockaddr_storage":          func(p *printer, t *syscalls.Type, v view) bool { sockaddr(p, nil, v); return true },
		"sock_filter":               sockFilter,
		"seccomp_data":              seccompData,
		"inet_diag_sockopt":         setBits,
		"inet_diag_sockid":          diagSockid,
		"perf_event_attr":           perfEventAttr,
		"mmsghdr":                   mmsghdr,
		"mmsghdr_out":               mmsghdr,
		"iocb":                      iocb,
		"ptrace_syscall_info":       syscallInfo,
		"user_regs_struct":          registers,
		"user_fpregs_struct":        registers,
		"user_pt_regs":              registers,
		"user_fpsimd_state":         registers,
		"rseq":                      rseq,
		"user_desc":                 userDesc,
		"msghdr":                    msghdr,
		"msghdr_out":                msghdr,
		"sigevent":                  sigevent,
		"stat":                      stat,
		"stat64":                    stat,
		"old_stat":                  stat,
		"statx_timestamp":           timespecAt,
		"timeval_at":                timevalAt,
		"utimbuf":                   utimbuf,
		"ipv6_mreq":                 ipv6Mreq,
		"file_handle":               func(p *printer, t *syscalls.Type, v view) bool { return fileHandle(p, t, v, view{buf: -1}) },
		"futex_waitv":               futexWaiter,
		"flock":                     flock,
		"open_how":                  openHow,
		"mnt_id_req":                request,
		"ns_id_req":                 request,
		"file_attr":                 fileAttr,
		"landlock_ruleset_attr":     rulesetAttr,
		"statmount":                 mountStatus,
		"flock64":                   flock,
		"sigaction":                 sigaction,
		"old_sigaction":             sigaction,
		"io_uring_files_register":   uringResources,
		"io_uring_buffers_register": uringResources,
		"io_uring_files_update2":    uringResources,
		"io_uring_buffers_update":   uringResources,
		"io_uring_restriction":      uringRestriction,
		"io_uring_sqe":              uringEntry,
		"sched_attr":                schedAttr,
		"sysctl_args":               sysctlArgs,
		"tcp_diag_md5sig":           diagMD5,
		"packet_mclist":             diagMulticast,
		"br_mdb_addr":               mdbAddress,
	}
	changes = map[string]func(p *printer, t *syscalls.Type, in, out view) bool{
		"bpf_map_batch_attr":        bpfBatch,
		"bpf_map_batch_update_attr": bpfBatch,
		"bpf_map_batch_delete_attr": bpfBatch,
		"io_uring_napi":             uringNapi,
		"perf_event_attr":           perfOpenAttr,
		"fiemap":                    fiemap,
		"dm_request":                mapper,
		"unimapdesc":                fontMap,
		"uffdio_api":                faultAPI,
		"perf_event_query_bpf":      perfQuery,
		"seccomp_notif":             notification,
		"v4l2_create_buffers":       createBuffers,
		"btrfs_ioctl_get_dev_stats": btrfsDevStats,
		"uring_probe":               uringProbe,
		"uring_workers":             uringWorkers,
		"file_handle":               fileHandle,
		"ifconf":                    ifconf,
		"sg_io":                     scsiIO,
		"rtc_param":                 clockParam,
		"v4l2_ext_controls":         extControls,
		"v4l2_ext_controls_get":     extControls,
		"user_desc":                 threadArea,
		"pidfd_info":                pidfdInfo,
		"sched_attr":                schedAttrSize,
	}
	sets = map[string]func(p *printer, c *syscalls.Consts, v uint64){
		"ioctl_req":                 ioctlRequest,
		"sg_scsi_reset":             scsiReset,
		"v4l2_buf_flags":            bufferFlags,
		"personality_type":          personality,
		"statx_flags":               statxFlags,
		"socket_type":               socketType,
		"ax25_protocol":             alwaysNamed,
		"mmap_flags":                mmapFlags,
		"ipc_flags":                 ipcFlags,
		"shmget_flags":              ipcFlags,
		"key_spec":                  keySpec,
		"swap_flags":                swapFlags,
		"syslog_action":             syslogAction,
		"ipccalls":                  ipcVersion,
		"socketcall_op":             numberOrName,
		"kd_kbd_mode":               decimalOrName,
		"shmctl_cmds":               ipcCommand,
		"msgctl_cmds":               ipcCommand,
		"semctl_cmds":               ipcCommand,
		"x86_xfeature_bits":         explained,
		"x86_xfeatures":             explained,
		"key_reqkeys":               decimalConst,
		"prctl_tagged_addr":         taggedAddress,
		"prctl_riscv_v":             riscvVector,
		"prctl_sve_vl":              vectorLength,
		"prctl_sme_vl":              vectorLength,
		"pid_type":                  explained,
		"clone_signal_flags":        cloneSignalFlags,
		"kexec_load_flags":          kexecFlags,
		"fanotify_init_flags":       fanotifyInit,
		"sched_setscheduler_policy": schedPolicy,
		"uring_register_opcodes":    uringOpcode,
		"uring_ops":                 decimalConst,
		"rseq_cpu_id":               rseqCPU,
		"term_lflags":               localModes,
		"term_iflags":               localModes,
		"term_oflags":               func(p *printer, c *syscalls.Consts, v uint64) { modes(p, c, v, 0xff00) },     // NLDLY|CRDLY|TABDLY|BSDLY|VTDLY|FFDLY
		"term_cflags":               func(p *printer, c *syscalls.Consts, v uint64) { modes(p, c, v, 0x100f103f) }, // CBAUD|CIBAUD|CSIZE
		"diag_shutdown":             explained,
		"v4l2_control_ids":          controlName,
		"smc_decl_codes":            explained,
		"kvm_exit_reason":           exitReason,
	}
	irregular = map[string]func(p *printer) bool{
		"clone":                  clone,
		"clone3":                 clone3,
		"ioctl":                  ioctl,
		"wait4":                  wait4,
		"waitpid":                wait4,
		"getxattr":               xattr,
		"lgetxattr":              xattr,
		"fgetxattr":              xattr,
		"listxattr":              xattr,
		"llistxattr":             xattr,
		"flistxattr":             xattr,
		"io_uring_register":      uringRegister,
		"getrandom":              getrandom,
		"nanosleep":              nanosleep,
		"clock_nanosleep":        nanosleep,
		"clock_nanosleep_time64": nanosleep,
		"execve":                 execve,
		"execveat":               execve,
		"poll":                   poll,
		"ppoll":                  poll,
		"ppoll_time64":           poll,
		"fanotify_mark":          fanotifyMark,
		"time":                   timeNow,
		"sendfile":               sendfile,
		"sendfile64":             sendfile,
		"syslog":                 syslog,
		"recvmmsg":               recvmmsg,
		"recvmmsg_time64":        recvmmsg,
		"select":                 selects,
		"_newselect":             selects,
		"pselect6":               selects,
		"pselect6_time64":        selects,
		"readdir":                readdir,
		"mknod":                  mknod,
		"mknodat":                mknod,
		"mount":                  mount,
		"name_to_handle_at":      nameToHandle,
		"listxattrat":            xattr,
		"lsm_get_self_attr":      lsmGet,
		"lsm_set_self_attr":      lsmSet,
		"mremap":                 mremap,
		"semctl":                 semctl,
		"ptrace":                 ptrace,
	}
}

// set returns a named set of constants of the call's architecture, or nil.
func (p *printer) set(name string) *syscalls.Consts {
	a := p.arch
	if a == 0 {
		a = syscalls.AMD64
	}
	return syscalls.ConstSet(a, name)
}

// named writes v as one of the named enumeration, or as a number.
func (p *printer) named(set string, v int64) {
	c := p.set(set)
	if c == nil {
		p.dec(v)
		return
	}
	if !hasValue(c, uint64(v)) {
		v = int64(uint32(v))
	}
	p.consts(c, uint64(v))
}
