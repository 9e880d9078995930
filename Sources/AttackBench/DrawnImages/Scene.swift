import Foundation
import Support

/// Everything about one image that is drawn by lot, and the colour of each pixel that follows from it.
struct Scene {
    /// Samples per pixel and direction, against jagged edges.
    private static let samples = 3

    private struct Stroke {
        var x, y, cosine, sine, length, width: Double
        var colour: SIMD3<Double>
    }

    private let motif: Motif
    private let x, y, scale, cosine, sine: Double
    private let foreground, background, gradient: SIMD3<Double>
    private let gradientX, gradientY: Double
    private let strokes: [Stroke]
    /// Standard deviation of the pixel noise, in units of the full range.
    let noise: Double

    init(motif: Motif, random: inout SplitMix64) {
        self.motif = motif
        let angle = random.uniform(-0.5..<0.5)
        cosine = cos(angle)
        sine = sin(angle)
        scale = motif.isTexture ? random.uniform(7..<10) : random.uniform(9..<13)
        // A shape is kept inside the image, but for its tips.
        let reach = motif.isTexture ? 16 : 15 - scale
        x = 16 + random.uniform(-1..<1) * reach
        y = 16 + random.uniform(-1..<1) * reach
        let background = Self.colour(&random)
        var foreground = Self.colour(&random)
        while Self.distance(foreground, background) < 0.6 { foreground = Self.colour(&random) }
        self.background = background
        self.foreground = foreground
        gradient = (Self.colour(&random) - 0.5) * 0.3
        let direction = random.uniform(0..<2 * .pi)
        gradientX = cos(direction) / 16
        gradientY = sin(direction) / 16
        noise = random.uniform(0.01..<0.04)
        strokes = (0..<random.below(3)).map { _ in
            let turn = random.uniform(0..<2 * .pi)
            return Stroke(
                x: random.uniform(0..<32), y: random.uniform(0..<32), cosine: cos(turn), sine: sin(turn),
                length: random.uniform(2..<5), width: random.uniform(0.5..<1), colour: Self.colour(&random))
        }
    }

    /// RGB in 0...1, before noise (and clipping).
    func colour(x column: Int, y row: Int) -> SIMD3<Double> {
        var sum = SIMD3<Double>(repeating: 0)
        let step = 1 / Double(Self.samples)
        for i in 0..<Self.samples {
            for j in 0..<Self.samples {
                sum += point(
                    Double(column) + (Double(j) + 0.5) * step, Double(row) + (Double(i) + 0.5) * step)
            }
        }
        return sum / Double(Self.samples * Self.samples)
    }

    private func point(_ px: Double, _ py: Double) -> SIMD3<Double> {
        let u = ((px - x) * cosine + (py - y) * sine) / scale
        let v = ((py - y) * cosine - (px - x) * sine) / scale
        if motif.contains(u, v) { return foreground }
        for stroke in strokes {
            let along = (px - stroke.x) * stroke.cosine + (py - stroke.y) * stroke.sine
            let across = (py - stroke.y) * stroke.cosine - (px - stroke.x) * stroke.sine
            if abs(along) < stroke.length, abs(across) < stroke.width { return stroke.colour }
        }
        return background + gradient * ((px - 16) * gradientX + (py - 16) * gradientY)
    }

    private static func colour(_ random: inout SplitMix64) -> SIMD3<Double> {
        SIMD3(random.unit(), random.unit(), random.unit())
    }

    private static func distance(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double {
        ((a - b) * (a - b)).sum().squareRoot()
    }
}
