#!/usr/bin/env bash
# The jars of the release that the oracle runs, and the driver compiled against them.
set -euo pipefail
jars=$(node -e "import('../../../oracle/kafka.mjs').then(({ jars }) => console.log(jars()))")
rm -rf build/jars build/classes
mkdir -p build/jars build/classes
for name in kafka-clients lz4-java snappy-java zstd-jni slf4j-api slf4j-simple jackson-annotations jackson-core jackson-databind; do
  cp "$jars/$name"-[0-9]*.jar build/jars/
done
javac -d build/classes -cp 'build/jars/*' ./*.java
cat >build/arguments <<'END'
-cp build/classes:build/jars/*
-Xmx256m
-XX:TieredStopAtLevel=1
-XX:+UseSerialGC
-Dorg.slf4j.simpleLogger.defaultLogLevel=warn
END
