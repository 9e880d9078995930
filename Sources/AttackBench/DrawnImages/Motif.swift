import Foundation

/// What is drawn: each a set of points of the plane, in a frame of its own.
enum Motif: String, CaseIterable {
    case checkerboard, crescent, cross, disc, dots, ring, square, star, stripes, triangle

    /// Textures fill the image; shapes have a place in it.
    var isTexture: Bool { self == .checkerboard || self == .dots || self == .stripes }

    /// Whether the point belongs to it. Shapes lie within about one unit of the origin; textures have a
    /// period of one unit.
    func contains(_ u: Double, _ v: Double) -> Bool {
        switch self {
        case .checkerboard:
            return (Int((2 * u).rounded(.down)) &+ Int((2 * v).rounded(.down))) & 1 == 0
        case .crescent:
            return u * u + v * v < 1 && (u - 0.55) * (u - 0.55) + v * v > 0.64
        case .cross:
            return max(abs(u), abs(v)) < 1 && min(abs(u), abs(v)) < 0.3
        case .disc:
            return u * u + v * v < 0.8
        case .dots:
            let x = u - u.rounded()
            let y = v - v.rounded()
            return x * x + y * y < 0.09
        case .ring:
            let radius = u * u + v * v
            return radius < 1 && radius > 0.36
        case .square:
            return max(abs(u), abs(v)) < 0.8
        case .star:
            // The radius runs from 1 at a point to 0.42 between two, five times around.
            let angle = atan2(v, u) * 5 / (2 * .pi)
            let share = 2 * abs(angle - angle.rounded())
            return (u * u + v * v).squareRoot() < 1.1 - 0.68 * share
        case .stripes:
            return u - u.rounded(.down) < 0.5
        case .triangle:
            return v > -0.6 && v < 1 - 1.8 * abs(u)
        }
    }
}
