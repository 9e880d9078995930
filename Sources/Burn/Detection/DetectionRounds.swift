/// How far the rounds of a detection have come: what was found and set aside, and what the rest shows.
struct DetectionRounds {
    /// Of every class, without what is set aside of it.
    var findings: [ClassFinding]
    /// Classes to be looked at anew: all of them, then those that samples were set aside of.
    private(set) var fresh: [Int]
    /// What was set aside, in the order in which it was found.
    private(set) var planted: [ClassFinding] = []
    private var setAside: Set<Int> = []
    private var number = 1

    /// More triggers than anybody was seen to plant: what goes on for longer is no search any more.
    static let most = 24

    init(classes: Int, judge: Judge) {
        findings = (0..<classes).map { ClassFinding(label: $0, judge: judge) }
        fresh = Array(findings.indices)
    }

    /// Classes that the round found a backdoor into.
    var found: [Int] { findings.indices.filter { findings[$0].judgement == .backdoored } }

    /// Another round is allowed.
    var goesOn: Bool { number <= Self.most }

    /// The last round found something as well: more may be there.
    var isCutShort: Bool { !goesOn }

    var suspected: [Int] { findings.indices.filter { findings[$0].judgement == .suspicious } }

    func left(of images: LabelledImages) -> LabelledSamples {
        LabelledSamples(of: images, apartFrom: setAside)
    }

    /// Ends a round.
    ///
    /// - Parameters:
    ///   - samples: that were flagged, by the class that they were planted into.
    ///   - renewsAll: all classes are looked at anew, since what is planted into one weighs in what the others are compared with.
    mutating func setAside(_ samples: [Int: [Int]], renewsAll: Bool = false, judge: Judge) {
        for label in found {
            findings[label].planted = samples[label] ?? []
            if samples[label] != nil || !planted.contains(where: { $0.label == label }) {
                planted.append(findings[label])
            }
            close(label)
        }
        setAside.formUnion(samples.values.joined())
        number += 1
        guard goesOn else { return }
        // What was suspected of a class may have been what is found now, or not.
        fresh = findings.indices.filter {
            samples[$0] != nil
                || (!findings[$0].isClosed
                    && (renewsAll || (findings[$0].wasSuspected && findings[$0].judgement == .clean)))
        }
        for label in fresh {
            let before = findings[label].setAsideBefore + (samples[label]?.count ?? 0)
            findings[label] = ClassFinding(label: label, judge: judge)
            findings[label].setAsideBefore = before
        }
    }

    /// No more is said of the class: what was found there names none of its samples, or nearly all.
    mutating func close(_ label: Int) {
        findings[label].retract()
        findings[label].isClosed = true
    }

    /// What is left of a class that something was planted into is known by that, whatever else is suspected of it.
    mutating func dropSuspicionsOfPlanted() {
        for finding in planted { findings[finding.label].dropSuspicion() }
    }

    /// One finding for each class: the first that was planted into it, with what was found after it.
    var merged: [ClassFinding] {
        var merged = findings
        var isKnown = Set<Int>()
        for finding in planted {
            if isKnown.insert(finding.label).inserted {
                merged[finding.label] = finding
            } else {
                merged[finding.label].further.append(finding)
            }
        }
        return merged
    }
}
