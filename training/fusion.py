"""Hierarchical cross-attention between the modalities and weighted heads (docs/cafes.md 6)."""

import torch
from torch import Tensor, nn

from mmer.training.attention import CrossAttention, masked_mean

_HEADS = 4
_TINY = 1e-6


class Fusion(nn.Module):
    """Video and audio ask each other, then text asks what came of each; each answer votes through a head of its own.

    A head votes if the modality that asks is present, so that any subset gives logits on the same scale.
    """

    def __init__(
        self,
        classes: int,
        video_audio: CrossAttention,
        audio_video: CrossAttention,
        text_video: CrossAttention,
        text_audio: CrossAttention,
    ) -> None:
        """Take the number of classes and the attentions, each named by what asks and what answers."""
        super().__init__()
        self.video_audio = video_audio
        self.audio_video = audio_video
        self.text_video = text_video
        self.text_audio = text_audio
        self.heads = nn.ModuleList(nn.Linear(video_audio.norm.normalized_shape[0], classes) for _ in range(_HEADS))
        self.vote = nn.Linear(_HEADS, 1, bias=False)
        nn.init.constant_(self.vote.weight, 1 / _HEADS)  # starts as the mean: a random draw could set heads at odds

    def widths(self) -> tuple[int, int, int]:
        """Return the widths of video, audio and text that it reads."""
        asking = (self.video_audio, self.audio_video, self.text_video)
        video, audio, text = (attention.query.in_features for attention in asking)
        return video, audio, text

    def forward(  # noqa: PLR0913, PLR0917 - the tensors of the exported graph
        self,
        video: Tensor,
        video_mask: Tensor | None,
        audio: Tensor,
        audio_mask: Tensor | None,
        text: Tensor,
        present: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return logits `[B, K]` and weights `[B, 3]` of `[B, T, *]`, `[B, S, *]`, `[B, H]` and `[B, 3]` of 0 or 1."""
        present = present.to(video.dtype)
        seen, heard, told = present.unbind(1)
        video_asks = masked_mean(self.video_audio(video, audio, audio_mask, heard), video_mask)
        audio_asks = masked_mean(self.audio_video(audio, video, video_mask, seen), audio_mask)
        answers = (
            video_asks,
            self.text_video.alone(text, video_asks, seen),
            self.text_audio.alone(text, audio_asks, heard),
            audio_asks,
        )
        votes = torch.stack([head(x) for head, x in zip(self.heads, answers, strict=True)], 1)
        valid = torch.stack([seen, told, told, heard], 1)
        votes = votes * self.vote.weight[0][:, None] * valid[:, :, None]
        logits = votes.sum(1) * (_HEADS / valid.sum(1, keepdim=True).clamp(min=1.0))
        return logits, _shares(votes, present)


def _shares(votes: Tensor, present: Tensor) -> Tensor:
    """Return each modality's share `[B, 3]` of the absolute votes `[B, 4, K]`."""
    video, text_video, text_audio, audio = votes.abs().mean(2).unbind(1)
    size = (torch.stack([video, audio, text_video + text_audio], 1) + _TINY) * present
    return size / size.sum(1, keepdim=True).clamp(min=_TINY)
