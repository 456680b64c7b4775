/* The grey of a film in plain C: the mean of all bytes of an object, rounded once. */
#include <Python.h>

#include <adaptive_pool.h>

static const adaptive_pool_api *api;

static PyObject *grey_of(PyObject *module, PyObject *object)
{
    Py_buffer bytes;
    adaptive_pool_problem problem = {0};
    adaptive_pool_plan *plan;
    adaptive_pool_error error;
    int64_t size, one = 1;
    float grey;
    void *arrays[2];
    int failed;

    (void) module;
    if (PyObject_GetBuffer(object, &bytes, PyBUF_SIMPLE) < 0)
        return NULL;
    size = bytes.len;
    problem.operation = ADAPTIVE_POOL_AVERAGE;
    problem.dtype = ADAPTIVE_POOL_UINT8;
    problem.axes = problem.pooled_axes = 1;
    problem.shape = &size;
    problem.output_size = &one;
    failed = api->describe(&problem, &plan, &error);
    if (!failed) {
        arrays[0] = bytes.buf;
        arrays[1] = &grey;
        Py_BEGIN_ALLOW_THREADS
        failed = api->run(plan, arrays, NULL, 1, &error);
        Py_END_ALLOW_THREADS
        api->release(plan);
    }
    PyBuffer_Release(&bytes);
    if (failed) {
        PyErr_SetString(PyExc_ValueError, error.text);
        return NULL;
    }
    return PyFloat_FromDouble(grey);
}

static PyMethodDef methods[] = {
    {"grey_of", grey_of, METH_O, "Return the mean of the bytes of an object."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "grey", "The grey of a film.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_grey(void)
{
    api = adaptive_pool_import();
    return api == NULL ? NULL : PyModule_Create(&module);
}
