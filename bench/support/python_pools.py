# SPDX-License-Identifier: BSL-1.0
"""The pools of Python behind one face, each used as its own documentation recommends.

    apply(f, item)             one call, until its result is here
    map(f, items, chunksize)   results in order; chunksize None is the pool's own choice, or for a pool
                               that does not choose, the rule of multiprocessing.Pool
    stream(f, items)           an iterator over the results, each task a message of its own; as they finish
                               where the pool can do that
    submit(f, item, done)      one call; done() is called, in any thread, when it has ended

A new kind of pool: one class here, one line in POOLS, one in runner/contenders.py.
"""


def usual_chunksize(items, processes):
    """What multiprocessing.Pool.map does."""
    return max(1, -(-len(items) // (4 * processes)))


class Pool:
    """Enter and leave: as the library's own context manager."""

    def __init__(self, processes, **options):
        self.processes = processes
        self.options = options

    def __enter__(self):
        self.pool = self.start()
        self.pool.__enter__()
        return self

    def __exit__(self, *problem):
        return self.pool.__exit__(*problem)


class MultiprocessingPool(Pool):
    def start(self):
        import multiprocessing

        return multiprocessing.Pool(self.processes, **self.options)

    def apply(self, f, item):
        return self.pool.apply(f, (item,))

    def map(self, f, items, chunksize=None):
        return self.pool.map(f, items, chunksize)

    def stream(self, f, items):
        return self.pool.imap_unordered(f, items, chunksize=1)

    def submit(self, f, item, done):
        self.pool.apply_async(f, (item,), callback=lambda _: done())


class Ray(MultiprocessingPool):
    """The Pool of ray.util.multiprocessing has the same functions."""

    def start(self):
        import ray
        from ray.util.multiprocessing import Pool as RayPool

        ray.init(num_cpus=self.processes, include_dashboard=False, logging_level="error")
        return RayPool(self.processes)


class Executor(Pool):
    """What concurrent.futures defines, and others imitate."""

    def start(self):
        from concurrent.futures import ProcessPoolExecutor

        return ProcessPoolExecutor(self.processes, **self.options)

    def apply(self, f, item):
        return self.pool.submit(f, item).result()

    def map(self, f, items, chunksize=None):
        chunksize = chunksize or usual_chunksize(items, self.processes)
        return list(self.pool.map(f, items, chunksize=chunksize))

    def stream(self, f, items):
        return self.pool.map(f, items, chunksize=1)

    def submit(self, f, item, done):
        self.pool.submit(f, item).add_done_callback(lambda _: done())


class Loky(Executor):
    def start(self):
        from loky import ProcessPoolExecutor

        return ProcessPoolExecutor(self.processes)


class Mpi4py(Executor):
    """Run by `mpirun -n WORKERS+1 python -m mpi4py.futures`, which makes the other ranks workers."""

    def start(self):
        from mpi4py.futures import MPIPoolExecutor

        return MPIPoolExecutor(self.processes)


class Joblib(Pool):
    """joblib chooses batches by measuring; it has maps only."""

    def start(self):
        import joblib

        self.delayed = joblib.delayed
        return joblib.Parallel(n_jobs=self.processes)

    def apply(self, f, item):
        return self.pool([self.delayed(f)(item)])[0]

    def map(self, f, items, chunksize=None):
        return self.pool(self.delayed(f)(item) for item in items)


class Pebble(Pool):
    def start(self):
        from pebble import ProcessPool

        return ProcessPool(max_workers=self.processes)

    def apply(self, f, item):
        return self.pool.schedule(f, args=(item,)).result()

    def map(self, f, items, chunksize=None):
        chunksize = chunksize or usual_chunksize(items, self.processes)
        return list(self.pool.map(f, items, chunksize=chunksize).result())

    def stream(self, f, items):
        return self.pool.map(f, items, chunksize=1).result()

    def submit(self, f, item, done):
        self.pool.schedule(f, args=(item,)).add_done_callback(lambda _: done())


class Mpire(Pool):
    def start(self):
        from mpire import WorkerPool

        return WorkerPool(n_jobs=self.processes, keep_alive=True)

    def apply(self, f, item):
        return self.pool.apply(f, (item,))

    def map(self, f, items, chunksize=None):
        return self.pool.map(f, items, chunk_size=chunksize)

    def stream(self, f, items):
        return self.pool.imap_unordered(f, items, chunk_size=1)


POOLS = {
    "multiprocessing": MultiprocessingPool,
    "executor": Executor,
    "loky": Loky,
    "joblib": Joblib,
    "pebble": Pebble,
    "mpire": Mpire,
    "ray": Ray,
    "mpi4py": Mpi4py,
}


def make(name, processes, **options):
    return POOLS[name](processes, **options)
