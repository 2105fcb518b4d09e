"""An encoder with a dict of heads: one model answers as many tasks as it has heads."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hpc.errors import unknown_name
from kernels.packing import from_lengths
from stilts.model import encoder as encoders
from stilts.model.encoder import Attention, Encoder, PackedEncoder
from stilts.model.head_modules import MODULES, Batch, HeadModule
from stilts.model.heads import HeadSpec
from stilts.run.seeds import seed_of


class Flops(NamedTuple):
    """Floating-point operations of a pass."""

    model: float
    """What the algorithm asks for."""
    hardware: float
    """What is computed: with what is computed again to save memory."""


class Model(nn.Module):
    """Encoder and heads.

    Args:
        encoder: the packed encoder.
        heads: head specifications by name; new heads are initialised from `seed`.
        dropout: probability in new heads while training.
        seed: decides the new heads' parameters, each from its name, so that order does not matter.
    """

    def __init__(
        self, encoder: Encoder, heads: Mapping[str, HeadSpec], *, dropout: float = 0.0, seed: int = 0
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.specs: dict[str, HeadSpec] = {}
        self.heads = nn.ModuleDict()
        self.touches_all_heads = False
        """Whether a training step passes through heads it does not use too, as ZeRO 3 needs it: there a
        parameter without a gradient would get its last one once more."""
        self._dropout = dropout
        for name, spec in heads.items():
            self.add_head(name, spec, seed=seed)

    @property
    def trainable_encoder(self) -> PackedEncoder:
        """The encoder in the form that trains and is saved."""
        assert isinstance(self.encoder, PackedEncoder), "this model only answers"
        return self.encoder

    def add_head(self, name: str, spec: HeadSpec, *, seed: int) -> None:
        """Adds or replaces a head with fresh parameters (normal of 0.02, biases at zero)."""
        head = MODULES[spec.kind](spec, self.encoder.config, self._dropout)
        generator = torch.Generator().manual_seed(seed_of(seed, name))
        for module in head.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02, generator=generator)
                nn.init.zeros_(module.bias)
        self.specs[name] = spec
        self.heads[name] = head

    def freeze(self, parts: Sequence[str]) -> None:
        """Takes parts of the encoder out of training: `encoder`, `embeddings` or `layers.N`.

        Raises:
            UserError: the encoder has no such part.
        """
        encoder = self.trainable_encoder
        embeddings = [encoder.word, encoder.position, encoder.token_type, encoder.norm]
        layers = {f"layers.{n}": [layer] for n, layer in enumerate(encoder.layers)}
        known: dict[str, list[nn.Module]] = {"encoder": [encoder], "embeddings": embeddings, **layers}
        for part in parts:
            if part not in known:
                raise unknown_name("part to freeze", part, known)
            for module in known[part]:
                module.requires_grad_(False)

    def for_inference(self, *, attention: Attention = "triton") -> "Model":
        """A model with the same answers on the fastest encoder for its device; parameters are shared.

        Args:
            attention: the back end wanted; where it cannot run the next best does, and says so once.
        """
        fast = Model(encoders.for_inference(self.trainable_encoder, attention=attention), {})
        fast.heads, fast.specs = self.heads, self.specs
        return fast.eval()

    def forward(self, head: str, batch: Batch) -> Tensor:
        """Scores of one head.

        Returns:
            classify [B, C]; choice [sequences]; tag [W, C]; span [T, 2]; mlm [M, V].
        """
        x = self.encoder(batch.packed)
        scores = self.answer(head, x, batch)
        return scores + self._idle(head, x, batch) if self.touches_all_heads and self.training else scores

    def answer(self, head: str, x: Tensor, batch: Batch) -> Tensor:
        """Scores of one head on hidden states [T, d] computed before: several heads can share one pass."""
        return self._module(head).answer(x, batch, self.encoder)

    def loss(self, head: str, scores: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy, the mean over the batch's examples (over words for tagging and hidden text)."""
        return self.summed_loss(head, scores, batch) / self.count(head, batch).clamp_min(1)

    def summed_loss(self, head: str, scores: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy, the sum over what `count` counts: ranks add theirs up before they divide."""
        return self._module(head).loss(scores, batch)

    def count(self, head: str, batch: Batch) -> Tensor:
        """Examples of the batch; for tagging its words, for hidden text its hidden pieces."""
        return self._module(head).count(batch)

    def target_of(self, head: str) -> str:
        """The array of `Batch.targets` that a head learns from."""
        return self._module(head).target

    def training_flops(self, head: str, batch: Batch) -> "Flops":
        """What learning from a batch costs: forward, and backward through what is trained or lies above it.

        A layer costs its forward pass once more for the gradients of its input, and its matrices once more
        for theirs; attention's products twice. Frozen layers below all that is trained have no backward pass.
        """
        encoder = self.trainable_encoder
        matrices, products = encoder.config.layer_flops(batch.packed.lengths)
        is_trained = [any(one.requires_grad for one in layer.parameters()) for layer in encoder.layers]
        tables = (encoder.word, encoder.position, encoder.token_type, encoder.norm)
        below = any(one.requires_grad for table in tables for one in table.parameters())
        forward = backward = again = 0.0
        for trains in is_trained:
            if trains and not below:
                # The input of the lowest trained layer needs no gradient.
                backward -= encoder.config.input_flops(batch.packed.lengths)
            below = below or trains
            forward += matrices + products
            if below:
                backward += matrices + 2 * products + (matrices if trains else 0.0)
                again += matrices + products if encoder.recompute else 0.0
        on_top = self._module(head).flops(batch)
        model = forward + backward + 3 * on_top
        return Flops(model=model, hardware=model + again)

    def _idle(self, used: str, x: Tensor, batch: Batch) -> Tensor:
        """Zero, from all heads that a step does not use: their gradients are then zero instead of none."""
        one = from_lengths(batch.packed.ids[:1], [1], padding=None)
        targets = {"positions": one.positions.new_zeros(1)}
        token = Batch(packed=one.to(x.device), targets=targets, items=1)
        idle = [
            self._module(name).answer(x[:1].detach(), token, self.encoder).sum()
            for name in self.specs
            if name != used
        ]
        return 0.0 * torch.stack(idle).sum() if idle else x.new_zeros(())

    def _module(self, head: str) -> HeadModule:
        module = self.heads[head]
        assert isinstance(module, HeadModule)
        return module
