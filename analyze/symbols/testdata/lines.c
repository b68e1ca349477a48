#include "twice.h"

int called(int);

int outer(int n)
{
	int m = twice(n);

	m += called(m);
	return m;
}

int called(int n)
{
	return twice(n + 1) + 7;
}
