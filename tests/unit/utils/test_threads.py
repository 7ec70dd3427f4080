from threadpoolctl import threadpool_info

from geminga.utils.threads import single_thread


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_one_thread_inside_and_as_before_outside():
    before = blas_threads()
    with single_thread():
        assert set(blas_threads()) <= {1}
    assert blas_threads() == before
