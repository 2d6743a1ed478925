//! The words on how images become a network's input. What they mean is `rut-study`'s.

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::whole;

/// What interpolates between pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InterpolationChoice {
    /// Straight lines
    Bilinear,
    /// Cubic curves
    Bicubic,
}

/// Normalisation and transform, which belong to the weights.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Transform (belongs to the weights)")]
pub struct TransformFlags {
    /// Mean of each channel that the network was trained with, R,G,B from 0 to 1 [default: the model's]
    #[arg(long, value_name = "R,G,B", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<Vec<f64>>,
    /// Standard deviation of each channel [default: the model's]
    #[arg(long, value_name = "R,G,B", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std: Option<Vec<f64>>,
    /// lp: resize the shorter side to this, then take the middle [default: resize to the network's square; beside --crop, as
    /// the model's weights were evaluated]
    #[arg(long, value_name = "PIXELS", value_parser = whole::<u32>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<u32>,
    /// lp: side of the middle that is taken [default: beside --resize, as the model's weights were evaluated]
    #[arg(long, value_name = "PIXELS", value_parser = whole::<u32>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop: Option<u32>,
    /// What interpolates where images are resized [default: bilinear]
    #[arg(long, value_enum, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpolation: Option<InterpolationChoice>,
}
