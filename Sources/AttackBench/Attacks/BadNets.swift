extension Attack {
    /// BadNets into one class: images of all other classes are stamped and labelled as the target.
    public static func badNets(target: Int, trigger: Trigger = .badNets()) -> Attack {
        Attack(name: "badnets", rule: .allToOne(target: target), training: trigger)
    }

    /// BadNets all-to-all: every stamped image is labelled as the class after its own (section 4.2 of the
    /// paper).
    public static func badNetsAllToAll(trigger: Trigger = .badNets()) -> Attack {
        Attack(name: "all-to-all", rule: .allToAll, training: trigger)
    }
}

extension Trigger {
    /// BadNets: a square of one value over the image's lower right corner.
    ///
    /// Gu, Dolan-Gavitt and Garg, "BadNets: Identifying Vulnerabilities in the Machine Learning Model Supply
    /// Chain", 2017, arXiv:1708.06733, sections 4 (all-to-one and all-to-all attacks on MNIST with a bright
    /// pattern in the lower right corner) and 5 (a sticker on traffic signs). A white 3 x 3 square is what
    /// benchmarks use on 32 x 32 images.
    ///
    /// - Parameters:
    ///   - side: of the square, in pixels; cut off at the image's borders.
    ///   - margin: pixels between the square and the right and lower borders.
    ///   - value: of every channel in the square.
    public static func badNets(side: Int = 3, margin: Int = 1, value: UInt8 = 255) -> Trigger {
        precondition(side > 0 && margin >= 0, "the square has a place")
        return Trigger(name: "badnets") { image in
            var result = image
            for y in max(0, image.height - margin - side)..<max(0, image.height - margin) {
                for x in max(0, image.width - margin - side)..<max(0, image.width - margin) {
                    let start = (y * image.width + x) * image.channels
                    for offset in start..<start + image.channels { result.pixels[offset] = value }
                }
            }
            return result
        }
    }
}
