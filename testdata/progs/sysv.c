/* Message queues, semaphores and shared memory of System V, with data in them. */
#include "prog.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#define SEM_STAT_ANY 20
#define SHM_STAT_ANY 15
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

static struct { long type; char text[64]; } m;

static void queues(void)
{
	struct msqid_ds ds;
	struct msginfo info;
	int q = msgget(IPC_PRIVATE, IPC_CREAT | IPC_EXCL | 0640);
	CHECK(q >= 0);
	for (int i = 1; i < 5; i++) {
		m.type = i * 1000000007L;
		memset(m.text, 'a' + i, sizeof m.text);
		CHECK(msgsnd(q, &m, i * 15, i % 2 ? IPC_NOWAIT : 0) == 0);
	}
	m.type = 5;
	CHECK(msgsnd(q, &m, 0, 0) == 0);
	CHECK(msgctl(q, IPC_STAT, &ds) == 0 && ds.msg_qnum == 5);
	ds.msg_perm.mode = 0600;
	ds.msg_qbytes = 1000;
	CHECK(msgctl(q, IPC_SET, &ds) == 0);
	msgctl(q, IPC_STAT, &ds);
	CHECK(msgctl(0, IPC_INFO, (void *)&info) >= 0);
	CHECK(msgctl(0, MSG_INFO, (void *)&info) >= 0);
	msgctl(0, MSG_STAT, &ds);
	msgctl(0, MSG_STAT_ANY, &ds);
	CHECK(msgrcv(q, &m, sizeof m.text, 0, MSG_COPY | IPC_NOWAIT) == 15 || errno == ENOSYS);
	CHECK(msgrcv(q, &m, sizeof m.text, 2 * 1000000007L, 0) == 30);
	CHECK(msgrcv(q, &m, 5, 0, 0) == -1 && errno == E2BIG);
	CHECK(msgrcv(q, &m, 5, 0, MSG_NOERROR) == 5);
	CHECK(msgrcv(q, &m, sizeof m.text, 5, MSG_EXCEPT) == 45);
	CHECK(msgrcv(q, &m, sizeof m.text, -5, 0) == 0);
	CHECK(msgrcv(q, &m, sizeof m.text, 0, IPC_NOWAIT) == 60);
	CHECK(msgrcv(q, &m, sizeof m.text, 0, IPC_NOWAIT) == -1 && errno == ENOMSG);
	m.type = 0;
	CHECK(msgsnd(q, &m, 10, 0) == -1 && errno == EINVAL);
	m.type = 1;
	CHECK(msgsnd(q, NULL, 10, 0) == -1 && errno == EFAULT);
	CHECK(msgctl(q, IPC_RMID, NULL) == 0);
	CHECK(msgsnd(q, &m, 10, IPC_NOWAIT | MSG_NOERROR) == -1 && errno == EINVAL);
}

static void semaphores(void)
{
	struct semid_ds ds;
	struct seminfo info;
	unsigned short values[3] = {7, 8, 9}, got[3];
	struct timespec t = {0, 1000}, bad = {-1, 1000000000};
	struct sembuf ops[3] = {{0, 1, 0}, {1, -2, IPC_NOWAIT}, {2, 0, IPC_NOWAIT | SEM_UNDO}};
	int s = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
	CHECK(s >= 0);
	CHECK(semctl(s, 0, SETALL, values) == 0);
	CHECK(semctl(s, 0, GETALL, got) == 0 && got[2] == 9);
	CHECK(semctl(s, 1, SETVAL, 5) == 0);
	CHECK(semctl(s, 1, GETVAL) == 5);
	semctl(s, 1, GETPID);
	semctl(s, 1, GETNCNT);
	semctl(s, 1, GETZCNT);
	CHECK(semop(s, ops, 2) == 0);
	CHECK(semop(s, ops, 3) == -1 && errno == EAGAIN);
	CHECK(semtimedop(s, ops, 1, &t) == 0);
	ops[0] = (struct sembuf){1, -100, 0};
	CHECK(semtimedop(s, ops, 1, &t) == -1 && errno == EAGAIN);
	CHECK(semtimedop(s, ops, 1, &bad) == -1 && errno == EINVAL);
	CHECK(semop(s, NULL, 1) == -1);
	CHECK(semop(s, ops, 0) == -1);
	CHECK(semctl(s, 0, IPC_STAT, &ds) == 0 && ds.sem_nsems == 3);
	ds.sem_perm.mode = 0444;
	CHECK(semctl(s, 0, IPC_SET, &ds) == 0);
	CHECK(semctl(0, 0, IPC_INFO, &info) >= 0);
	CHECK(semctl(0, 0, SEM_INFO, &info) >= 0);
	semctl(0, 0, SEM_STAT, &ds);
	semctl(0, 0, SEM_STAT_ANY, &ds);
	CHECK(semctl(s, 0, IPC_RMID) == 0);
}

static void memory(void)
{
	struct shmid_ds ds;
	struct shminfo info;
	struct shm_info sinfo;
	int s = shmget(IPC_PRIVATE, 8192, IPC_CREAT | IPC_EXCL | SHM_NORESERVE | 0600);
	CHECK(s >= 0);
	char *a = shmat(s, NULL, 0), *b = shmat(s, NULL, SHM_RDONLY);
	CHECK(a != (void *)-1 && b != (void *)-1);
	shmat(s, (void *)0x10000123, SHM_RND | SHM_EXEC);
	shmat(s, (void *)0x10000123, 0);
	CHECK(shmctl(s, IPC_STAT, &ds) == 0 && ds.shm_nattch >= 2);
	ds.shm_perm.mode = 0640;
	CHECK(shmctl(s, IPC_SET, &ds) == 0);
	CHECK(shmctl(0, IPC_INFO, (void *)&info) >= 0);
	CHECK(shmctl(0, SHM_INFO, (void *)&sinfo) >= 0);
	shmctl(0, SHM_STAT, &ds);
	shmctl(0, SHM_STAT_ANY, &ds);
	shmctl(s, SHM_LOCK, NULL);
	shmctl(s, IPC_STAT, &ds);
	shmctl(s, SHM_UNLOCK, NULL);
	CHECK(shmctl(s, IPC_RMID, NULL) == 0);
	shmctl(s, IPC_STAT, &ds);
	CHECK(shmdt(a) == 0 && shmdt(b) == 0);
	CHECK(shmdt(a) == -1);
	CHECK(shmget(0x1234567, 1, 0) == -1 && errno == ENOENT);
	shmget(IPC_PRIVATE, 1, SHM_HUGETLB | 21 << 26 | 0600);
}

int main(void)
{
	unshare(CLONE_NEWIPC); /* where it may: there is nothing else in it */
	queues();
	semaphores();
	memory();
	return ok();
}
