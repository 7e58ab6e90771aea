// vectors.h: the ring against Tests/Vectors/ring.txt.
#ifndef VECTORS_H
#define VECTORS_H

/// Where ring.txt is.
extern const char *vectors_path;

/// Follows every step of every ring in the file; fails at the first byte that is another.
void vectors_follow(void);

#endif
