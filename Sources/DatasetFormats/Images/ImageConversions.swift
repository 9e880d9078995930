import Findings
import ImageCodecs

extension ImageTraits {
    /// Of those that are converted, what the image was and what is done.
    fileprivate static let conversions: [(trait: ImageTraits, from: String, how: String)] = [
        (.cmyk, "CMYK", "converted to RGB as Pillow's convert(\"RGB\") does"),
        (.palette, "of a palette", "given its colours"),
        (
            .wide, "of 16 bits",
            "scaled to 8 bits (by 1/257, rounded; Pillow's convert(\"RGB\") makes grey above 255 white instead)"
        ),
        (.narrow, "grey of fewer than 8 bits", "scaled to 8 bits"),
        (.opaqueAlpha, "with an alpha channel that is opaque", "left without it"),
        (.transparent, "transparent", "left without the alpha channel (alpha=drop)"),
        (.grey, "grey among coloured ones", "given three equal channels"),
        (.first, "in files of several images", "read: the first one"),
        (.reduced, "JPEG of many times the wanted size", "decoded at a half, a quarter or an eighth of it"),
    ]
}

/// What was done to the images of a set, counted.
struct ImageConversions {
    private var counts: [ImageTraits: (count: Int, example: String)] = [:]

    mutating func add(_ traits: ImageTraits, name: String) {
        guard !traits.isEmpty else { return }
        for conversion in ImageTraits.conversions where traits.contains(conversion.trait) {
            count(conversion.trait, name)
        }
        if traits.contains(.turned) { count(.turned, name) }
    }

    private mutating func count(_ trait: ImageTraits, _ name: String) {
        counts[trait, default: (0, name)].count += 1
    }

    var turned: Int { counts[.turned]?.count ?? 0 }

    var found: [SetReading.Converted] {
        ImageTraits.conversions.compactMap { conversion in
            counts[conversion.trait].map {
                .init(from: conversion.from, how: conversion.how, count: $0.count, example: $0.example)
            }
        }
    }
}
