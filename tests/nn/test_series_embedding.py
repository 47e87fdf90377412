import torch

from skts.nn._series_embedding import SeriesEmbedding


def test_a_series_has_its_own_vector_and_an_unknown_one_their_mean():
    embedding = SeriesEmbedding(4, 3)
    vectors, table = embedding(torch.tensor([2, -1, 0, 2])), embedding.table.weight
    torch.testing.assert_close(vectors, torch.stack([table[2], table.mean(dim=0), table[0], table[2]]))


def test_only_the_vectors_of_the_series_in_a_batch_learn():
    embedding = SeriesEmbedding(4, 3)
    embedding(torch.tensor([2, 0, 2])).sum().backward()
    torch.testing.assert_close(embedding.table.weight.grad[:, 0], torch.tensor([1.0, 0.0, 2.0, 0.0]))
