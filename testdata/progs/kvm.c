/* A machine of KVM's, its guest so small that it is written out here: requests of
 * /dev/kvm, machines and virtual CPUs, and KVM_RUN with all that it can tell. It
 * prints "ok"; where there is no /dev/kvm it exits 77. With an argument it waits
 * for input before the guest runs, and makes no other requests. */
#include "prog.h"
#include <linux/kvm.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

enum { PAGE = 4096, GUEST = 0x1000 };
static int kvm, runSize;

/* A machine with a page of memory at GUEST, which holds code. */
static int machine(const void *code, size_t n)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region r = {
		.guest_phys_addr = GUEST, .memory_size = PAGE, .userspace_addr = (uintptr_t)page
	};

	CHECK(vm >= 0 && page != MAP_FAILED);
	memset(page, 0xf4, PAGE); /* hlt */
	memcpy(page, code, n);
	CHECK(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r) == 0);
	return vm;
}

struct cpu {
	int fd;
	struct kvm_run *run;
};

/* A virtual CPU that is to begin at GUEST in real mode. */
static struct cpu cpu(int vm, int number)
{
	struct cpu c = {.fd = ioctl(vm, KVM_CREATE_VCPU, number)};
	struct kvm_sregs s;
	struct kvm_regs r = {.rip = GUEST, .rax = 2, .rbx = 5, .rflags = 2};

	CHECK(c.fd >= 0);
	c.run = mmap(NULL, runSize, PROT_READ | PROT_WRITE, MAP_SHARED, c.fd, 0);
	CHECK(c.run != MAP_FAILED);
	CHECK(ioctl(c.fd, KVM_GET_SREGS, &s) == 0);
	s.cs.base = s.cs.selector = 0;
	CHECK(ioctl(c.fd, KVM_SET_SREGS, &s) == 0);
	CHECK(ioctl(c.fd, KVM_SET_REGS, &r) == 0);
	return c;
}

static unsigned run(struct cpu c)
{
	return ioctl(c.fd, KVM_RUN, 0) == 0 ? c.run->exit_reason : -1u;
}

/* Adds, writes the sum to a port, reads another, writes to memory that there is
 * not, and halts. */
static const unsigned char guest[] = {
	0xba, 0xf8, 0x03, /* mov $0x3f8, %dx */
	0x00, 0xd8,       /* add %bl, %al */
	0x04, '0',        /* add $'0', %al */
	0xee,             /* out %al, (%dx) */
	0xe4, 0x61,       /* in $0x61, %al */
	0xa2, 0x00, 0x80, /* mov %al, 0x8000 */
	0xf4,             /* hlt */
};

static void exits(int waits)
{
	struct cpu c = cpu(machine(guest, sizeof guest), 0);
	unsigned char *data;

	if (waits) {
		puts("ready");
		fflush(stdout);
		getchar();
	}
	CHECK(run(c) == KVM_EXIT_IO && c.run->io.direction == KVM_EXIT_IO_OUT && c.run->io.port == 0x3f8);
	data = (unsigned char *)c.run + c.run->io.data_offset;
	CHECK(*data == '7');
	CHECK(run(c) == KVM_EXIT_IO && c.run->io.direction == KVM_EXIT_IO_IN && c.run->io.port == 0x61);
	*data = 0x42;
	CHECK(run(c) == KVM_EXIT_MMIO && c.run->mmio.phys_addr == 0x8000 && c.run->mmio.data[0] == 0x42);
	CHECK(run(c) == KVM_EXIT_HLT);
	c.run->immediate_exit = 1;
	CHECK(run(c) == -1u && errno == EINTR);
	CHECK(ioctl(c.fd, KVM_RUN, 5) == -1);
	munmap(c.run, runSize);
	CHECK(ioctl(c.fd, KVM_RUN, 0) == -1); /* immediate_exit is still set, and nobody sees it */
	close(c.fd);
}

/* What a virtual CPU's memory holds before the call is the program's: every reason
 * there is, and numbers that no exit has. */
static void states(void)
{
	static const struct {
		unsigned char direction, size;
		unsigned short port;
		unsigned count;
		unsigned long offset;
	} io[] = {
		{1, 2, 0x80, 3, PAGE}, {0, 4, 0x80, 3, PAGE}, {0, 1, 1, 100, PAGE}, {1, 8, 0, 3, PAGE},
		{3, 4, 0, 0, 0}, {3, 0, 0xffff, 3, PAGE}, {0, 4, 0x10, 3, 1ul << 40}, {1, 1, 7, 1, 0},
	};
	struct cpu c = cpu(machine("", 0), 7);
	unsigned char *u = (unsigned char *)&c.run->hw;

	for (unsigned reason = 0; reason < 48; reason++) {
		c.run->exit_reason = reason;
		for (int i = 0; i < 256; i++)
			u[i] = reason == KVM_EXIT_IO ? 0 : i + reason;
		CHECK(run(c) == KVM_EXIT_HLT);
	}
	for (unsigned i = 0; i < sizeof io / sizeof *io; i++) {
		c.run->exit_reason = KVM_EXIT_IO;
		c.run->io.direction = io[i].direction;
		c.run->io.size = io[i].size;
		c.run->io.port = io[i].port;
		c.run->io.count = io[i].count;
		c.run->io.data_offset = io[i].offset;
		for (int k = 0; k < 128; k++)
			((unsigned char *)c.run)[PAGE + k] = k;
		CHECK(run(c) == KVM_EXIT_HLT);
	}
	c.run->request_interrupt_window = 2;
	c.run->ready_for_interrupt_injection = 3;
	c.run->if_flag = 4;
	c.run->flags = 0x105;
	c.run->cr8 = 6;
	c.run->apic_base = 0x123456789abcdef0;
	CHECK(run(c) == KVM_EXIT_HLT);
	close(c.fd);
}

static void *halts(void *c)
{
	CHECK(run(*(struct cpu *)c) == KVM_EXIT_HLT);
	CHECK(run(*(struct cpu *)c) == KVM_EXIT_HLT);
	return NULL;
}

/* Two machines whose virtual CPUs have the same names, a thread each, in turns. */
static void machines(void)
{
	struct cpu c[4];
	int vm = 0;

	for (int i = 0; i < 4; i++) {
		if (i % 2 == 0)
			vm = machine("", 0);
		c[i] = cpu(vm, i % 2);
		c[i].run->exit_reason = 20 + i;
	}
	for (int i = 3; i >= 0; i--) {
		pthread_t t;

		CHECK(pthread_create(&t, NULL, halts, &c[i]) == 0);
		CHECK(pthread_join(t, NULL) == 0);
	}
	/* One whose memory is somewhere else now. */
	c[0].run = mremap(c[0].run, runSize, runSize, MREMAP_MAYMOVE | MREMAP_FIXED, mmap(NULL, runSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	CHECK(c[0].run != MAP_FAILED);
	c[0].run->cr8 = 9;
	CHECK(run(c[0]) == KVM_EXIT_HLT);
}

/* Requests that are made of machines before they run. */
static void requests(void)
{
	static struct {
		struct kvm_cpuid2 c;
		struct kvm_cpuid_entry2 e[200];
	} id;
	static struct {
		struct kvm_msrs m;
		struct kvm_msr_entry e[2];
	} msrs = {{.nmsrs = 2}, {{.index = 0x10}, {.index = 0x277}}};
	static struct {
		struct kvm_msr_list l;
		unsigned indices[2000];
	} list = {{.nmsrs = 2000}};
	static struct {
		struct kvm_irq_routing r;
		struct kvm_irq_routing_entry e[1];
	} routing = {{.nr = 1}, {{.gsi = 4, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = {.irqchip = 2, .pin = 4}}}};
	static union {
		struct kvm_fpu fpu;
		struct kvm_lapic_state lapic;
		struct kvm_irqchip chip;
		struct kvm_pit_state2 pit;
		struct kvm_xsave xsave;
		struct kvm_xcrs xcrs;
		struct kvm_debugregs debugregs;
		struct kvm_vcpu_events events;
		struct kvm_mp_state mp;
		struct kvm_clock_data clock;
		struct kvm_guest_debug debug;
		char room[2 * PAGE];
	} u;
	static const unsigned extensions[] = {KVM_CAP_IRQCHIP, KVM_CAP_NR_MEMSLOTS, KVM_CAP_IMMEDIATE_EXIT, 0xfff, -1u};
	static const unsigned long gets[][2] = {
		{KVM_GET_FPU, KVM_SET_FPU}, {KVM_GET_LAPIC, KVM_SET_LAPIC}, {KVM_GET_XCRS, KVM_SET_XCRS}, {KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS},
		{KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS}, {KVM_GET_MP_STATE, KVM_SET_MP_STATE}, {KVM_GET_XSAVE, KVM_SET_XSAVE},
	};
	struct kvm_pit_config pit = {0};
	struct kvm_irq_level level = {.irq = 4, .level = 1};
	struct kvm_translation at = {.linear_address = GUEST};
	struct kvm_enable_cap cap = {.cap = KVM_CAP_DISABLE_QUIRKS, .args = {1}};
	struct kvm_irqfd irqfd = {.fd = eventfd(0, 0), .gsi = 4};
	struct kvm_ioeventfd ioeventfd = {.addr = 0x80, .len = 1, .fd = irqfd.fd, .flags = KVM_IOEVENTFD_FLAG_PIO};
	struct kvm_create_device device = {.type = KVM_DEV_TYPE_VFIO};
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	uint64_t identity = 0xfffbc000;
	int vm, vcpu;

	ioctl(kvm, KVM_GET_API_VERSION, 0);
	for (unsigned i = 0; i < sizeof extensions / sizeof *extensions; i++)
		ioctl(kvm, KVM_CHECK_EXTENSION, extensions[i]);
	ioctl(kvm, KVM_GET_MSR_INDEX_LIST, &list);
	ioctl(kvm, KVM_GET_EMULATED_CPUID, &id);
	id.c.nent = 1;
	ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &id);
	id.c.nent = 200;
	CHECK(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &id) == 0);
	ioctl(kvm, KVM_CREATE_VM, 0xffff);
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS);
	ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000);
	ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	CHECK(ioctl(vm, KVM_CREATE_IRQCHIP, 0) == 0);
	ioctl(vm, KVM_CREATE_PIT2, &pit);
	ioctl(vm, KVM_GET_PIT2, &u);
	ioctl(vm, KVM_SET_PIT2, &u);
	for (u.chip.chip_id = 0; u.chip.chip_id < 3; u.chip.chip_id++) {
		CHECK(ioctl(vm, KVM_GET_IRQCHIP, &u) == 0);
		CHECK(ioctl(vm, KVM_SET_IRQCHIP, &u) == 0);
	}
	ioctl(vm, KVM_IRQ_LINE, &level);
	level.level = 0;
	ioctl(vm, KVM_IRQ_LINE_STATUS, &level);
	ioctl(vm, KVM_SET_GSI_ROUTING, &routing);
	ioctl(vm, KVM_IRQFD, &irqfd);
	ioctl(vm, KVM_IOEVENTFD, &ioeventfd);
	ioctl(vm, KVM_CREATE_DEVICE, &device);
	ioctl(vm, KVM_GET_CLOCK, &u.clock);
	ioctl(vm, KVM_SET_CLOCK, &u.clock);
	ioctl(vm, KVM_ENABLE_CAP, &cap);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 1);
	CHECK(vcpu >= 0);
	ioctl(vm, KVM_CREATE_VCPU, 1); /* there is one */
	CHECK(ioctl(vcpu, KVM_SET_CPUID2, &id) == 0);
	ioctl(vcpu, KVM_GET_CPUID2, &id);
	CHECK(ioctl(vcpu, KVM_GET_REGS, &regs) == 0);
	CHECK(ioctl(vcpu, KVM_SET_REGS, &regs) == 0);
	CHECK(ioctl(vcpu, KVM_GET_SREGS, &sregs) == 0);
	CHECK(ioctl(vcpu, KVM_SET_SREGS, &sregs) == 0);
	sregs.cr0 = ~0ul;
	ioctl(vcpu, KVM_SET_SREGS, &sregs);
	ioctl(vcpu, KVM_GET_MSRS, &msrs);
	ioctl(vcpu, KVM_SET_MSRS, &msrs);
	for (unsigned i = 0; i < sizeof gets / sizeof *gets; i++) {
		CHECK(ioctl(vcpu, gets[i][0], &u) == 0);
		ioctl(vcpu, gets[i][1], &u);
	}
	ioctl(vcpu, KVM_TRANSLATE, &at);
	memset(&u, 0, sizeof u);
	ioctl(vcpu, KVM_SET_GUEST_DEBUG, &u.debug);
	ioctl(vcpu, KVM_GET_TSC_KHZ, 0);
	ioctl(vcpu, KVM_KVMCLOCK_CTRL, 0);
	ioctl(vcpu, KVM_NMI, 0);
	ioctl(vcpu, KVM_RUN, 1);
	/* Pointers that lead nowhere. */
	ioctl(vcpu, KVM_GET_REGS, (void *)-1l);
	ioctl(vcpu, KVM_SET_REGS, NULL);
	ioctl(vcpu, KVM_SET_SREGS, (void *)0x10);
	ioctl(vcpu, KVM_SET_CPUID2, NULL);
	ioctl(vm, KVM_SET_USER_MEMORY_REGION, NULL);
	ioctl(-1, KVM_RUN, 0);
	ioctl(kvm, KVM_RUN, 0);
	ioctl(vm, KVM_RUN, 0);
	close(irqfd.fd);
	close(vcpu);
	close(vm);
}

int main(int argc, char **argv)
{
	cpu_set_t first;

	/* One CPU, whose number KVM_GET_SUPPORTED_CPUID tells. */
	CHECK(sched_getaffinity(0, sizeof first, &first) == 0);
	for (int i = 0, found = 0; i < CPU_SETSIZE; i++) {
		if (found)
			CPU_CLR(i, &first);
		found |= CPU_ISSET(i, &first);
	}
	CHECK(sched_setaffinity(0, sizeof first, &first) == 0);
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return 77;
	runSize = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	CHECK(runSize >= PAGE);
	if (argc > 1) {
		exits(1);
		return ok();
	}
	requests();
	exits(0);
	states();
	machines();
	return ok();
}
